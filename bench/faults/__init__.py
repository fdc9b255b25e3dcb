"""Faults that are injected into a run, one file each."""
