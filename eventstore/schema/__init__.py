"""The store's schema: its tables, and the functions and triggers that the order of events rests on.

Whoever imports a part of it has all of it: `metadata` makes the functions with the tables.
"""

from eventstore.schema.functions import (
    ANNOUNCE_TAG,
    REPAIR,
    UNSOUND,
)
from eventstore.schema.tables import (
    REVISION,
    SLOTS,
    Name,
    Timestamp,
    cursors,
    events,
    idempotency_keys,
    kept_read_models,
    metadata,
    projection_audit,
    projectors,
    shard,
    streams,
    tallies,
)

__all__ = [
    "ANNOUNCE_TAG",
    "REPAIR",
    "REVISION",
    "SLOTS",
    "UNSOUND",
    "Name",
    "Timestamp",
    "cursors",
    "events",
    "idempotency_keys",
    "kept_read_models",
    "metadata",
    "projection_audit",
    "projectors",
    "shard",
    "streams",
    "tallies",
]
