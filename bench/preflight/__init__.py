"""Before a run: its settings are checked, the machine described, its limits looked at, the database examined."""
