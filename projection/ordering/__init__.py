"""Ordering strategies, one file each: in which order events take effect, and what keeps two projectors apart."""
