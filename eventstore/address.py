"""Where the store is: the URL that everybody is given, and how the driver understands it."""

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

EXPECTED: Final = "postgresql://user:password@host:port/database"


def parse_url(url: str) -> URL:
    """The URL with the asyncpg driver. Raises ValueError for anything that is not a Postgres URL."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"expected {EXPECTED}") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres") or not parsed.database:
        raise ValueError(f"expected {EXPECTED}")
    return parsed.set(drivername="postgresql+asyncpg")


def driver_url(url: URL) -> str:
    """The URL as asyncpg itself takes it, with libpq's options (`?sslmode=require`), the password included."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
