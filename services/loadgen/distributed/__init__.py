"""The processes of a run: supervisor, Locust's master and its workers, and how they talk."""
