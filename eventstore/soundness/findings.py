"""Verdict on the preconditions: a pure function from what the check has read to what does not hold, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eventstore.schema import REPAIR, REVISION
from eventstore.shards.hash_slots import Place
from eventstore.shards.place import REMEDY, unlike
from eventstore.soundness.rights import API, OPERATOR, PROJECTOR, grant

MIGRATE: Final = "run `python -m migrations upgrade`"
MAKE: Final = "the table yourself where it is that of a read model of your own"
KNOWN: Final = API.keys() | PROJECTOR.keys() | OPERATOR.keys()
"""What the migrations make for the store itself; all else is a read model's."""
ENABLED: Final = ("O", "A")
"""`tgenabled` of a trigger that fires for ordinary sessions, or for all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One precondition that does not hold.

    `order`: only readers of the global order rest on it, so the parallel mode does not.
    """

    check: str
    problem: str
    remedy: str
    order: bool = False

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"


def judge(row: Mapping[str, Any], place: Place | None = None) -> tuple[Finding, ...]:
    """What does not hold, the gravest first. `row` is what `statement.CHECK` or `statement.RIGHTS` has read.

    `place`: which shard the store is reached as; None: that is not asked.
    """
    found = [*_server(row), *_schema(row), *_rights(row)]
    if place is not None and "kept" in row:
        found += _shard(row["kept"], place)
    if "given" in row:
        found += [*_announcements(row), *_sequence(row), *_cursor(row)]
    return tuple(found)


def reason(findings: Sequence[Finding]) -> str:
    """All findings in one line."""
    return " · ".join(map(str, findings))


def _server(row: Mapping[str, Any]) -> Iterator[Finding]:
    if row["standby"]:
        yield Finding("writable", "the server is a standby (in recovery)", "connect to the primary")
    elif row["read_only"]:
        yield Finding(
            "writable",
            "sessions of this role and database are read-only (default_transaction_read_only)",
            "wait for the end of a switchover, or set it off",
        )
    for side in ("server", "client"):
        encoding = row[f"{side}_encoding"]
        if encoding.upper().replace("-", "") not in ("UTF8", "UNICODE"):
            remedy = "create the database with ENCODING 'UTF8'" if side == "server" else "unset client_encoding"
            yield Finding("encoding", f"the {side}'s encoding is {encoding}, not UTF8", remedy)


def _schema(row: Mapping[str, Any]) -> Iterator[Finding]:
    if not row.get("migrated", True) and row["closed"]:
        problem = f"the role {row['role']} lacks USAGE on schema {row['closed']}"
        yield Finding("rights", problem, f"e.g. GRANT USAGE ON SCHEMA {row['closed']} TO {row['role']}")
        return
    if not row.get("migrated", True):
        yield Finding("revision", "the store is not migrated", MIGRATE)
        return
    absent = sorted({one["object"] for one in row["lacking"] if one["absent"]})
    if absent:
        remedy = MIGRATE if KNOWN.issuperset(absent) else f"{MIGRATE}, or make {MAKE}"
        yield Finding("revision", f"the store's schema lacks {', '.join(absent)}", remedy)
    revision = row.get("revision", REVISION)
    if revision is None or revision < REVISION:
        yield Finding("revision", f"the schema is at revision {revision}, this program needs {REVISION}", MIGRATE)
    elif revision != REVISION:
        problem = f"the schema is at revision {revision}, this program knows {REVISION}"
        yield Finding("revision", problem, "start the version of the program that the database was migrated for")


def _rights(row: Mapping[str, Any]) -> Iterator[Finding]:
    if row["filtered"]:
        problem = f"row-level security hides rows of {row['filtered']} from the role {row['role']}"
        yield Finding("rights", problem, "ALTER TABLE … DISABLE ROW LEVEL SECURITY")
    lacking = [one for one in row["lacking"] if not one["absent"]]
    if lacking:
        names = "; ".join(_by_object(lacking))
        first = grant(lacking[0]["object"], lacking[0]["part"], lacking[0]["privilege"], row["role"])
        yield Finding("rights", f"the role {row['role']} lacks {names}", f"e.g. {first}")


def _by_object(lacking: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """As GRANT words it: `SELECT, INSERT (stream, version) on events`."""
    for object in dict.fromkeys(one["object"] for one in lacking):
        columns: dict[str, list[str]] = {}
        for one in lacking:
            if one["object"] == object:
                columns.setdefault(one["privilege"], []).extend(filter(None, [one["part"]]))
        told = (f"{name} ({', '.join(dict.fromkeys(parts))})" if parts else name for name, parts in columns.items())
        yield f"{', '.join(told)} on {object}"


def _shard(kept: Sequence[Mapping[str, Any]], place: Place) -> Iterator[Finding]:
    if problem := unlike(kept, place):
        yield Finding("shard", problem, REMEDY if kept else MIGRATE)


def _announcements(row: Mapping[str, Any]) -> Iterator[Finding]:
    if not row["announcements"]:
        problem = "pg_locks does not show the advisory lock by which a writer announces itself"
        yield Finding("pg_locks", problem, "use a Postgres server that shows it, or the parallel mode", order=True)
    for trigger in ("announce_writer", "check_position"):
        state = row[trigger]
        if state is None:
            yield Finding("trigger", f"events has no trigger {trigger}", "restore the schema", order=True)
        elif state not in ENABLED:
            remedy = f"ALTER TABLE events ENABLE {'ALWAYS ' if trigger == 'announce_writer' else ''}TRIGGER {trigger}"
            yield Finding("trigger", f"the trigger {trigger} on events is disabled", remedy, order=True)
    if row["replication_role"] == "replica" and row["announce_writer"] != "A":
        problem = "session_replication_role is replica, so triggers do not fire"
        yield Finding("trigger", problem, "set it to origin", order=True)


def _sequence(row: Mapping[str, Any]) -> Iterator[Finding]:
    increment, cache = row["increment"], row["cache"]
    if increment is None:
        yield Finding("sequence", "there is no sequence events_position_seq", "restore the schema", order=True)
        return
    for wrong, problem, clause in (
        (cache != 1, f"has CACHE {cache}: sessions give out positions that others have passed", "CACHE 1"),
        (increment < 1, f"counts by {increment}", "INCREMENT 1"),
        (row["cycle"], "begins again at its end (CYCLE)", "NO CYCLE"),
        (row["given"] >= row["most"], f"has no position left after {row['most']} (MAXVALUE)", "NO MAXVALUE"),
    ):
        if wrong:
            remedy = f"ALTER SEQUENCE events_position_seq {clause}"
            yield Finding("sequence", f"the sequence events_position_seq {problem}", remedy, order=True)
    if row["given"] < (row["newest"] or 0) and not _unreadable(row):
        problem = (
            f"the sequence events_position_seq stands at {row['given']}, below the newest event at {row['newest']}"
        )
        yield Finding("sequence", problem, REPAIR, order=True)


def _cursor(row: Mapping[str, Any]) -> Iterator[Finding]:
    cursor, newest = row["cursor"], row["newest"] or 0
    if cursor > newest:
        problem = f"the serial cursor stands at {cursor}, beyond the newest event at {newest}"
        yield Finding("cursor", problem, f"the log was cut or restored: {REPAIR}", order=True)
    elif passed := row["passed"]:
        problem = (
            f"version {passed['version']} of stream {passed['stream']}, at position {passed['position']}, is not"
            f" projected, though the serial cursor has passed it and stands at {cursor}"
        )
        yield Finding("passed over", problem, REPAIR, order=True)


def _unreadable(row: Mapping[str, Any]) -> bool:
    return any(one["object"] == "events_position_seq" for one in row["lacking"])
