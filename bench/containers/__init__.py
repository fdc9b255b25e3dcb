"""The stack of compose.yaml: started and stopped by `python -m bench.containers`, and used by runs while it is up."""
