"""`task perf`: each part beside a reference and its peers, measured in turns."""
