"""A target that is a fake: the in-memory Todo server as a process, with a projector that only is there."""
