"""Doctor: a process that examines the database of a run before the run, and says what is sound there."""
