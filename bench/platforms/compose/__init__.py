"""The stack of compose.yaml: started and stopped by its commands, and used by runs while it is up."""
