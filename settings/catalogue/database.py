"""The database: where it is, and how long a client waits for it."""

from __future__ import annotations

from typing import Final

from settings.catalogue.kinds import Database, Databases, Integer, Number
from settings.environment import Environment, SettingError

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
DATABASE_URLS: Final = Databases(
    "DATABASE_URLS",
    "the databases of several shards in their order, with a blank between two addresses",
    readers=("api", "projector", "migrate", "roles", "doctor", "bench"),
    unset="one shard, at `DATABASE_URL`",
    handed_on=False,
    stack=(),
    acts=False,
    lead=True,
)
SHARDS: Final = Integer(
    "SHARDS",
    "shards of a run: servers of its own, or of its PLATFORM, over which streams are spread; of the stack at most 2",
    1,
    1,
    16,
    readers=("bench",),
    stack=(),
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


def addresses(env: Environment) -> tuple[str, ...]:
    """The address of each shard in their order: DATABASE_URLS, or that of DATABASE_URL alone. Raises SettingError."""
    several = DATABASE_URLS.optional(env)
    if several is None:
        return (DATABASE_URL.read(env),)
    if DATABASE_URL.optional(env) not in (None, several[0]):
        expected = f"no value beside {DATABASE_URLS.name}, or the first address of these"
        raise SettingError(DATABASE_URL.name, "…", expected)
    return several


def heard_at(shards: int) -> tuple[str, str]:
    """The setting, and its value, with which LISTEN hears where an address leads through a pooler in transaction mode.

    LISTEN_URL is one address, so of several shards the address of each has to be one at which it hears.
    """
    if shards > 1:
        return DATABASE_URLS.name, "addresses of the servers themselves, or of poolers in session mode"
    return LISTEN_URL.name, "an address of the server itself"


def variable(shards: int) -> str:
    """The name of the variable that has the addresses of so many shards, for whoever tells of them."""
    return (DATABASE_URLS if shards > 1 else DATABASE_URL).name


def listening(env: Environment, shards: int) -> str | None:
    """The address of LISTEN_URL, None when unset. Raises SettingError, also for one address of several shards."""
    url = LISTEN_URL.optional(env)
    if url is not None and shards > 1:
        name, value = heard_at(shards)
        raise SettingError(LISTEN_URL.name, "…", f"no value with {shards} shards, and in {name} {value}")
    return url
