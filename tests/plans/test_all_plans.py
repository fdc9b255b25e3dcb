"""No statement can come to read a whole table, whatever statistics said of the tables when it was planned."""

from __future__ import annotations

from tests.plans.conftest import Guard
from tests.plans.explain import plan_for_any
from tests.plans.golden import all_statements

SMALL = {"alembic_version", "cursors", "kept_read_models", "projectors", "shard", "tallies", "todo_tallies"}
"""Tables that do not grow with what is stored: they may be read as a whole."""

PARTIAL = {"ix_streams_claimable", "ix_streams_blocked"}
"""Indexes on the streams that are pending or blocked alone: their size is the work that there is to do."""


async def test_every_statement_of_the_api_looks_up_by_key(api: Guard) -> None:
    await _all_look_up_by_key(api)


async def test_every_statement_of_a_projector_looks_up_by_key(projector: Guard) -> None:
    await _all_look_up_by_key(projector)


async def _all_look_up_by_key(guard: Guard) -> None:
    for name, statement in all_statements().items():
        if name != "eventstore.connection.wakeup.NOTIFY":
            plan = await plan_for_any(guard.connection, statement)
            assert [scan for scan in plan.unbounded() if not SMALL.union(PARTIAL).intersection(scan.split())] == [], (
                name
            )
