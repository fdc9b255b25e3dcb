"""Connections to Postgres: how they are opened, kept, bounded, shared and woken (LISTEN/NOTIFY)."""
