"""Targets on this machine: where each is installed, which can run here, and its processes as its manifest says."""
