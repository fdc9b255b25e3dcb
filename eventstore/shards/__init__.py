"""Shards: a stream lies in one of several whole stores, by its hash slot (ADR 0062)."""
