"""Processes of a run: supervisor, Locust's master and workers, and the messages between them."""
