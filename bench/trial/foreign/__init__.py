"""Foreign sessions at the system's Postgres, a DBA's or another client's: faults of the store strike by them."""
