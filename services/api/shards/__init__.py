"""Shards as the API has them: one object each, and what is asked of one, of each, or of all together."""
