"""The processes, each stateless and configured by its environment; they never import each other."""
