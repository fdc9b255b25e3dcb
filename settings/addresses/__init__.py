"""Addresses in settings: of a Postgres server, of an HTTP service."""
