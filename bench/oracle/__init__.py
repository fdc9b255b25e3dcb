"""The re-fold oracle: reads a store by SQL and folds its events anew. It shares no code with what it judges."""
