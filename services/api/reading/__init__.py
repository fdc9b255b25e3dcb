"""Reads of the projection: batched, shared, and waited for."""
