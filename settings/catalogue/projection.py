"""The projection: who projects, in which order, and how a projector paces and repeats its work."""

from __future__ import annotations

from typing import Final, Literal, get_args

from settings.catalogue.kinds import Choice, Flag, Integer, Modules, Number, Plugin, Text

HEADING: Final = "The projection"

Strategy = str
"""The name of an ordering strategy: a file of `projection/ordering`, or somebody else's module by its dotted path."""
HandlerKind = Literal["set", "each"]

SERIAL_PROJECTION: Final = Flag(
    "SERIAL_PROJECTION",
    "true: one lease and the global order; false: one lease per stream; `bench:serial` and `bench:parallel` set it",
    False,
    readers=("api", "projector", "loadgen", "bench"),
    # The projectors decide the mode, and /stats tells theirs.
    stack=("projector",),
    lead=True,
)
STRATEGY: Final = Plugin(
    "STRATEGY",
    "the ordering strategy: the global order is serial; by locks, claim and batch are one statement",
    package="projection.ordering",
    readers=("projector", "bench"),
    unset="by the mode, with leases",
    lead=True,
)
PROJECTORS: Final = Integer(
    "PROJECTORS", "projector processes; in the stack: containers", 1, 1, 64, readers=("bench", "stack"), lead=True
)
STREAMS_IN_FLIGHT: Final = Integer(
    "STREAMS_IN_FLIGHT",
    "leases that a projector works on at once",
    500,
    1,
    10_000,
    readers=("projector", "bench"),
    lead=True,
)
HANDLER: Final = Choice(
    "HANDLER",
    "how events take effect: set (SQL over sets of events) or each (a Python function for each event, in the"
    " transaction of its batch)",
    "set",
    get_args(HandlerKind),
    readers=("projector", "bench"),
    lead=True,
)
READ_MODELS: Final = Modules(
    "READ_MODELS",
    "the read models that are kept, with commas: todos, activity (todos created, updated and deleted by minute), or"
    " the dotted path of a module of one's own; all of them, or a new list needs `reset --all`",
    ("todos",),
    "todo.read_models",
    "todos",
    readers=("projector", "bench"),
    lead=True,
)
HANDLER_LATENCY_MS: Final = Number(
    "HANDLER_LATENCY_MS",
    "artificial cost of handling one event; in the headline of every result",
    0.0,
    0,
    60_000,
    readers=("projector", "bench"),
    lead=True,
)
LEASE_SECONDS: Final = Number(
    "LEASE_SECONDS", "how long a lease runs without a renewal", 5.0, 0.5, 3600, readers=("projector",)
)
POLL_MS: Final = Number(
    "POLL_MS",
    "a projector that nobody calls looks for work at least this often",
    2000.0,
    1,
    60_000,
    readers=("projector",),
)
LINGER_MS: Final = Number(
    "LINGER_MS",
    "time between the starts of two batches of a projector on a busy system",
    5.0,
    0,
    1000,
    readers=("projector",),
)
RETRY_ATTEMPTS: Final = Integer("RETRY_ATTEMPTS", "tries before a stream is blocked", 5, 1, 100, readers=("projector",))
LISTEN_HEARTBEAT_MS: Final = Number(
    "LISTEN_HEARTBEAT_MS",
    "a projector makes sure this often that it hears notifications",
    5000.0,
    100,
    600_000,
    readers=("projector",),
    lead=True,
)
VISIBILITY: Final = Choice(
    "VISIBILITY",
    "how far the global order is read; naive: the control that loses events",
    "watermark",
    ("watermark", "naive"),
    readers=("projector",),
)
PROJECTOR_NAME: Final = Text(
    "PROJECTOR_NAME",
    "holder of leases, unique",
    readers=("projector",),
    unset="host, process and a random part",
    handed_on=False,
    stack=(),
)
PROJECTOR_SHARDS: Final = Text(
    "PROJECTOR_SHARDS",
    "the numbers of the shards that a projector serves, from 0 on, with commas",
    readers=("projector",),
    unset="all",
    handed_on=False,
    stack=(),
)
HEALTH_FILE: Final = Text(
    "HEALTH_FILE",
    "where a projector says how it is, for `python -m services.health`",
    readers=("projector",),
    unset="nowhere",
    handed_on=False,
    # The image knows where its check looks.
    stack=(),
)
MOMENTS_FILE: Final = Text(
    "MOMENTS_FILE",
    "where a projector writes at its end when it was called, looked, claimed and had committed, of its newest batches"
    " (of several shards a file for each, `shard-N-` before its name); the bench tells it, for the waterfall of an"
    " event",
    readers=("projector",),
    unset="nowhere, and nothing is kept",
    handed_on=False,
    acts=False,
    stack=(),
)
