"""Event store on Postgres: append with optimistic concurrency, read, and a safe position of the global order."""
