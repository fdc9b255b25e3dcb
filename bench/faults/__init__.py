"""Faults, one file each: what is done to a running system, when it has hit, and how it is healed."""
