"""Resource usage beside a run, and its neighbours: pure functions over recorded processes."""
