"""The database: where it is, and how long a client waits for it."""

from __future__ import annotations

from typing import Final

from settings.catalogue.kinds import Database, Number

HEADING: Final = "The database; the stack has its own."

DATABASE_URL: Final = Database(
    "DATABASE_URL",
    "the database to run on: a libpq URI, each of `@ / ? # & %` in a part of it percent-encoded",
    readers=("api", "projector", "migrate", "roles", "doctor", "bench"),
    unset="a throw-away Postgres",
    stack=(),
    acts=False,
    lead=True,
)
LISTEN_URL: Final = Database(
    "LISTEN_URL",
    "the server itself, where `DATABASE_URL` leads through a pooler in transaction mode",
    readers=("projector", "doctor"),
    unset="`DATABASE_URL`",
    # The stack has its own, which leads past its pooler.
    stack=(),
    lead=True,
)
STORE_TIMEOUT_MS: Final = Number(
    "STORE_TIMEOUT_MS",
    "a statement, or waiting for a connection, is given up after it",
    10_000.0,
    100,
    600_000,
    readers=("api", "projector"),
    lead=True,
)
STORE_CONNECT_TIMEOUT_MS: Final = Number(
    "STORE_CONNECT_TIMEOUT_MS",
    "connecting to Postgres is given up after it",
    3000.0,
    100,
    60_000,
    readers=("api", "projector"),
    lead=True,
)
