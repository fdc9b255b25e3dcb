"""Soak: a steady load for a long time, and which of its figures settle or compound (ADR 0054)."""
