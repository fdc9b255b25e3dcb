"""Append events: one file an operation, and the group commit that joins them into one statement."""
