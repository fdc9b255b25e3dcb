"""Run a statement under EXPLAIN ANALYZE, and count what it touched: rows and pages, never time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from eventstore.connection.database import Statement


@dataclass(frozen=True)
class Plan:
    """What was run. `pages` counts every page looked at, also those found in memory."""

    root: dict[str, Any]

    @property
    def pages(self) -> int:
        return int(self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"])

    def rows(self, table: str) -> int:
        """Rows of the table that scans brought up, those thrown away by a condition included."""
        return sum(_touched(node) for node in self._scans() if node["Relation Name"] == table)

    def describe(self) -> str:
        """The plan in a few lines, for the message of a test that fails."""
        lines = [f"pages {self.pages}"]
        for node in self._scans():
            index = node.get("Index Name", "")
            lines.append(f"{node['Node Type']} {node['Relation Name']} {index} touched {_touched(node)}")
        return "\n".join(lines)

    def unbounded(self) -> list[str]:
        """The scans that no key, and no limit right above them, keeps from reading all of a table or an index."""
        return [
            f"{node['Node Type']} {node['Relation Name']} {node.get('Index Name', '')}".strip()
            for node, above in self._nodes()
            if _scans_table(node) and "Index Cond" not in node and above != "Limit"
        ]

    def _scans(self) -> Iterator[dict[str, Any]]:
        return (node for node, _ in self._nodes() if _scans_table(node))

    def _nodes(self) -> Iterator[tuple[dict[str, Any], str]]:
        """Each node, and the type of the one above it."""
        waiting = [(self.root, "")]
        while waiting:
            node, above = waiting.pop()
            waiting += [(below, node["Node Type"]) for below in node.get("Plans", [])]
            yield node, above


def _scans_table(node: dict[str, Any]) -> bool:
    return node["Node Type"].endswith("Scan") and "Relation Name" in node


def _touched(node: dict[str, Any]) -> int:
    each: float = sum(
        node.get(what, 0)
        for what in (
            "Actual Rows",
            "Rows Removed by Filter",
            "Rows Removed by Index Recheck",
            "Rows Removed by Join Filter",
        )
    )
    return round(each * int(node["Actual Loops"]))


async def prepare(connection: asyncpg.Connection, statement: Statement, *, generic: bool) -> str:
    """Prepare the statement, once in the connection, with a plan for each call or one for any; the name it got."""
    name = f"explained_{hash(statement.sql) & 0xFFFFFFFF}"
    await connection.execute(f"SET plan_cache_mode = force_{'generic' if generic else 'custom'}_plan")
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name = $1)", name):
        await connection.execute(f"PREPARE {name} AS {statement.sql}")
    return name


async def plan_for_any(connection: asyncpg.Connection, statement: Statement) -> Plan:
    """Make the generic plan now, from what the tables hold now; nothing is run. The connection keeps it."""
    name = await prepare(connection, statement, generic=True)
    text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {_call(name, statement, {})}")
    return Plan(json.loads(text)[0]["Plan"])


async def explain(connection: asyncpg.Connection, statement: Statement, *, generic: bool, **values: Any) -> Plan:
    """Run the statement as the driver does: prepared.

    It runs twice, the first time undone, because a connection's first run also reads the catalog.
    """
    call = _call(await prepare(connection, statement, generic=generic), statement, values)
    await connection.execute(f"SAVEPOINT first; EXECUTE {call}; ROLLBACK TO SAVEPOINT first")
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON) EXECUTE {call}")
    return Plan(json.loads(text)[0]["Plan"])


def _call(name: str, statement: Statement, values: dict[str, Any]) -> str:
    arguments = ", ".join(map(literal, statement.arguments(values)))
    return f"{name}({arguments})" if arguments else name


def literal(value: Any) -> str:
    """The value as SQL text, which takes on the type that the statement wants."""
    match value:
        case None:
            return "NULL"
        case timedelta():
            return f"'{value.total_seconds()} seconds'"
        case list() | tuple():
            return f"'{{{','.join(map(_element, value))}}}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("'", "''") + '"'


def names(count: int, prefix: str = "s") -> list[str]:
    """The names of the streams that `conftest` makes, in their order."""
    return [f"{prefix}{number:07}" for number in range(1, count + 1)]


def same(value: Any, times: Sequence[Any]) -> list[Any]:
    """The value once for each."""
    return [value] * len(times)
