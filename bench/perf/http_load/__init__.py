"""The closed-loop HTTP client of the rows: wrk and its scripts."""
