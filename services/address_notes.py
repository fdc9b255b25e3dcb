"""Warnings about the address of the database: what was left out of it, and what a pooler on the way takes away."""

from __future__ import annotations

from collections.abc import Iterator

from eventstore.connection.database import Database


def notes(database: Database, variable: str = "DATABASE_URL") -> Iterator[str]:
    """One line each, for a log; complete once a connection was made."""
    for word in database.url.told:
        yield f"{variable}: {word}"
    if lacking := database.connector.lacking:
        yield (
            f"{variable}: leads through a pooler in transaction mode, where the planner's settings are the role's, and"
            f" this role lacks {', '.join(lacking)}: ALTER ROLE … SET them, as `python -m migrations roles` does"
        )
