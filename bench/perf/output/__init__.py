"""What `task perf` leaves: the figures, a table, a page of the docs."""
