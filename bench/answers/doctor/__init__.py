"""`task doctor`: the database of a run, examined by a process of its own before anything is measured on it."""
