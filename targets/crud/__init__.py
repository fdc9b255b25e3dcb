"""Target `crud`: the Todo API on one plain table, without events and without a projection."""
