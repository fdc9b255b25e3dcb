"""Mutants that a process runs: ordering strategies with a bug, and an API with one. One file a mutant."""
