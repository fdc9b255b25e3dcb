"""Targets: a folder each, with its manifest and, where it runs in our own environment, its programs."""
