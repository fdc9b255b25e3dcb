"""Metrics: the catalogue of all, the sinks that take them, and the records of a result. It knows nobody."""
