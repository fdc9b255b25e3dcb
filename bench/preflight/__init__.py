"""Before a run: the machine is described, its limits are looked at, and the database is examined."""
