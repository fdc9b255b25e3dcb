"""Privileges by process, as Postgres names them: what each does, and so what its role must be allowed.

A value reads as in GRANT: `SELECT, UPDATE (version, pending_since)`. The tables of a read model are named beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

Rights = Mapping[str, str]
"""Table, sequence or function -> privileges."""

API: Final[Rights] = {
    "alembic_version": "SELECT",
    "events": "SELECT, INSERT (stream, version, type, data)",
    "events_position_seq": "SELECT",
    "streams": "SELECT, INSERT (stream, version, pending_since), UPDATE (version, pending_since)",
    "idempotency_keys": "SELECT, INSERT (key, fingerprint, stream, version)",
    "tallies": "SELECT, INSERT (slot, events, streams, drains), UPDATE (events, streams, drains)",
    "cursors": "SELECT",
    "projectors": "SELECT",
    "projection_audit": "SELECT",
    "shard": "SELECT",
    "safe_position()": "EXECUTE",
}

PROJECTOR: Final[Rights] = {
    "alembic_version": "SELECT",
    "events": "SELECT",
    "events_position_seq": "SELECT",
    "streams": "SELECT, UPDATE (projected, pending_since, holder, epoch, leased_until, attempts, retry_at, blocked_at,"
    " error)",
    "cursors": "SELECT, INSERT (name), UPDATE (position, holder, epoch, leased_until, attempts, retry_at, blocked_at,"
    " error, stream, version)",
    "projectors": "SELECT, INSERT, UPDATE, DELETE",
    "kept_read_models": "SELECT, INSERT (projection, read_models)",
    "tallies": "SELECT, INSERT (slot, projected, projected_position, projected_at),"
    " UPDATE (projected, projected_position, projected_at)",
    "shard": "SELECT",
    "projection_audit": "INSERT (stream, from_version, to_version, last_position, projector, epoch, projected_at)",
    "safe_position()": "EXECUTE",
    "refuse(text)": "EXECUTE",
}

OPERATOR: Final[Rights] = {
    "alembic_version": "SELECT",
    "events": "SELECT",
    "events_position_seq": "SELECT, UPDATE",
    "streams": "SELECT, UPDATE (projected, pending_since, holder, epoch, leased_until, attempts, retry_at, blocked_at,"
    " error, skipped)",
    "cursors": "SELECT, UPDATE (position, holder, epoch, leased_until, attempts, retry_at, blocked_at, error, stream,"
    " version)",
    "projectors": "SELECT",
    "kept_read_models": "SELECT, INSERT, UPDATE (read_models, becoming)",
    "shard": "SELECT",
    "projection_audit": "SELECT, DELETE",
    "tallies": "SELECT, INSERT (slot, projected),"
    " UPDATE (events, streams, projected, projected_position, projected_at)",
}


def merged(*parts: Rights) -> Rights:
    """What somebody needs who does the work of several."""
    objects = dict.fromkeys(object for part in parts for object in part)
    return {object: ", ".join(part[object] for part in parts if object in part) for object in objects}


_PRIVILEGE: Final = re.compile(r"([A-Z]+)\s*(?:\(([^)]*)\))?")


def one_by_one(rights: Rights) -> Iterator[tuple[str, str | None, str]]:
    """Each privilege on its own: object, column or None, privilege."""
    for object, granted in rights.items():
        for privilege, columns in _PRIVILEGE.findall(granted):
            for column in columns.split(",") if columns else [None]:
                yield object, column and column.strip(), privilege


def grant(object: str, column: str | None, privilege: str, role: str) -> str:
    """The statement that gives it."""
    kind = "FUNCTION " if "(" in object else "SEQUENCE " if object.endswith("_seq") else ""
    return f"GRANT {privilege}{f' ({column})' if column else ''} ON {kind}{object} TO {role}"
