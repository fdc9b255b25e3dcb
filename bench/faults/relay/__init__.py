"""A TCP relay before Postgres, in a process of its own, and what the faults that strike through it share (ADR 0050)."""
