"""The bench's own connections to Postgres."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

CLOSED: Final = "sslmode=disable&target_session_attrs=any&gsslib=gssapi"


def closed(url: str) -> str:
    """A throw-away database's address with all that a client would else take from PG* variables and ~/.postgresql."""
    return f"{url}?{CLOSED}"


async def connect(url: str, **options: Any) -> asyncpg.Connection:
    """A connection, for the caller to close. Raises the driver's errors.

    What the address leaves out comes from libpq's variables and files, as it does for `psql`; a closed one leaves
    nothing out. How TLS is negotiated is no part of it, as not every client knows the word.
    """
    negotiation = {"direct_tls": False} if url.endswith(f"?{CLOSED}") else {}
    return await asyncpg.connect(url, **negotiation, **options)
