"""A throw-away Postgres server: its binaries, the account that it runs under, and its cluster."""
