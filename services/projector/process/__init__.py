"""A projector as a process: where it listens, and a worker for each shard that it serves."""
