"""Measure all targets that are installed here by turns, and leave one table."""
