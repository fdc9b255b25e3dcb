"""Command lines: arguments that are refused like settings, and output that never fails."""
