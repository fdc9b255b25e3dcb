"""The API: where it listens, and how many processes and connections it has."""

from __future__ import annotations

from typing import Final

from settings.catalogue.kinds import Integer, Number, Text

HEADING: Final = "The API"

API_PROCESSES: Final = Integer(
    "API_PROCESSES",
    "API processes, which share one port",
    1,
    1,
    64,
    readers=("api", "bench"),
    lead=True,
)
API_HOST: Final = Text(
    "API_HOST",
    "where it listens; the bench always has it here",
    "127.0.0.1",
    readers=("api",),
    handed_on=False,
    stack=(),
)
API_PORT: Final = Integer(
    "API_PORT",
    "its port; the bench takes a free one if unset",
    8000,
    1,
    65535,
    readers=("api", "bench"),
    stack=(),
    acts=False,
)
API_POOL_SIZE: Final = Integer("API_POOL_SIZE", "database connections of one API process", 8, 1, 100, readers=("api",))
API_LATENCY_MAX_MS: Final = Number(
    "API_LATENCY_MAX_MS",
    "past capacity, an API process refuses at once what it could not answer within this: 503 with Retry-After",
    1000.0,
    10,
    60_000,
    readers=("api",),
)
API_CLIENT_TIMEOUT_MS: Final = Number(
    "API_CLIENT_TIMEOUT_MS",
    "how long a caller may take to send a whole request, to take an answer, or to idle",
    75_000.0,
    100,
    3_600_000,
    readers=("api",),
)
