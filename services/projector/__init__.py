"""Projector: a process that claims leases and projects events, and the commands of its operators."""
