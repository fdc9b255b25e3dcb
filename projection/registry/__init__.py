"""What the store knows of its projectors: which are alive, and which read models they all keep."""
