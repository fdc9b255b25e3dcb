"""A rebuild of read models: the same rows in other tables, with all that belonged to the former ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from eventstore.connection.database import Database
from projection import operator
from projection.operator.rebuild import NotRebuilt, OtherRebuild
from projection.read_model import Event, ReadModel
from services.projector.endings import Ending
from tests.cluster import Cluster, as_role
from tests.integration.projector.process import run
from tests.integration.projector.rebuilding import LEFT, MOMENTS, OIDS, At, Stopped, history, rebuild
from tests.integration.projector.stage import CREATED, POISON, UPDATED, Stage, until
from tests.read_models import BOTH_NAMES
from todo.read_models.todos import count_todos, get_todos, list_todos

KEPT: Final = """
SELECT c.relname, array_to_string(c.reloptions, ',') AS told, pg_get_userbyid(c.relowner)::text AS n
  FROM pg_class c WHERE c.oid = ANY ($1::text[]::regclass[])
 UNION ALL
SELECT i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid), array_to_string(c.reloptions, ',')
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY ($1::text[]::regclass[])
 UNION ALL
SELECT conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid), contype::text
  FROM pg_constraint WHERE conrelid = ANY ($1::text[]::regclass[])
 UNION ALL
SELECT a.attrelid::regclass::text, format('%s %s %s', a.attname, a.attnotnull, format_type(a.atttypid, a.atttypmod)),
       pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = ANY ($1::text[]::regclass[]) AND a.attnum > 0
 UNION ALL
SELECT c.relname, 'acl', pg_get_userbyid(acl.grantee) || ' ' || acl.privilege_type || ' ' || acl.is_grantable
  FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS acl WHERE c.oid = ANY ($1::text[]::regclass[])
 UNION ALL
SELECT c.relname, a.attname, pg_get_userbyid(acl.grantee) || ' ' || acl.privilege_type
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
 WHERE a.attrelid = ANY ($1::text[]::regclass[])
 UNION ALL
SELECT c.relname, 'comment', obj_description(c.oid, 'pg_class') FROM pg_class c
 WHERE c.oid = ANY ($1::text[]::regclass[])
 UNION ALL
SELECT 'todo_tallies', 'sequence', pg_get_serial_sequence('todo_tallies', 'slot')
 ORDER BY 1, 2, 3
"""
TABLES: Final = ["todos", "todo_tallies", "activity"]
BY_DBA: Final = """
ALTER TABLE todos SET (autovacuum_vacuum_scale_factor = 0.03, toast.autovacuum_enabled = false);
CREATE INDEX by_time ON todos (updated_at DESC) WITH (fillfactor = 60) WHERE version > 1;
ALTER TABLE todos ADD CONSTRAINT told CHECK (length(text) < 100000);
GRANT SELECT (id, version) ON todos TO PUBLIC;
GRANT SELECT ON todos TO tidemark_oracle WITH GRANT OPTION;
COMMENT ON TABLE todos IS 'what is to be done';
CREATE VIEW undone WITH (security_barrier = true) AS SELECT id, text FROM todos WHERE NOT deleted;
CREATE VIEW many AS SELECT count(*) AS number FROM undone;
GRANT SELECT ON undone TO tidemark_api;
ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO tidemark_api
"""


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage with both read models, and without a shadow."""
    async with Stage.on(url, read_models=BOTH_NAMES) as both:
        await both.sql("DROP SCHEMA IF EXISTS public_rebuild CASCADE")
        yield both


async def test_all_that_belongs_to_the_tables_goes_along(cluster: Cluster) -> None:
    async with Stage.on(cluster.create(), read_models=BOTH_NAMES) as stage:
        await history(stage)
        async with stage.database.connection() as connection:
            await connection.execute(BY_DBA)
        before = await kept(stage), await stage.rows(), await stage.minutes()
        oids = await stage.value(OIDS)
        async with Database(as_role("api", stage.url), pool_size=1) as api:
            # Prepared, with generic plans, before the switch, and used after it.
            read = await list_todos(api), await get_todos(api, ["todo-007"]), await count_todos(api)
            async with rebuild(stage) as one:
                done = await one.run()
            assert (await list_todos(api), await get_todos(api, ["todo-007"]), await count_todos(api)) == read
            async with api.connection() as connection:
                assert await connection.fetchval("SELECT count(*) FROM undone") == read[2].active

        assert (done.switched, done.differing, done.streams) == (True, 0, 30)
        assert done.events == done.filled == sum(stage.versions.values())
        assert (await kept(stage), await stage.rows(), await stage.minutes()) == before
        assert not set(await stage.value(OIDS)) & set(oids)
        assert await stage.value(LEFT) == 0
        assert await stage.value("SELECT number FROM many") == read[2].active
        # The next one finds the same, and numbers go on where they were.
        await stage.append("todo-007", UPDATED)
        await stage.append("new", CREATED)
        await stage.catch_up()
        async with rebuild(stage) as one:
            assert (await one.run()).switched
        await stage.assert_right()


@pytest.mark.parametrize("chosen", ["todos", "activity"])
async def test_one_of_the_read_models_may_be_rebuilt(stage: Stage, chosen: str) -> None:
    await history(stage)
    before = dict(zip(TABLES, await oids_of(stage), strict=True))
    models = [model for model in stage.steps.models if model.name == chosen]
    async with rebuild(stage, models=models) as one:
        assert (await one.run()).switched
    after = dict(zip(TABLES, await oids_of(stage), strict=True))
    assert {name for name in TABLES if before[name] != after[name]} == {table.name for table in models[0].tables}
    await stage.assert_right()


async def kept(stage: Stage) -> list[tuple[Any, ...]]:
    """What belongs to the tables."""
    return [tuple(row) for row in await stage.sql(KEPT, TABLES)]


async def oids_of(stage: Stage) -> list[int]:
    """The tables, as Postgres knows them."""
    return [await stage.value("SELECT $1::text::regclass::oid", name) for name in TABLES]


DAMAGE: Final = (
    "UPDATE todos SET text = 'forged' WHERE id = 'todo-001'",
    "UPDATE todos SET version = 7, applied = 9 WHERE id = 'todo-002'",
    "DELETE FROM todos WHERE id = 'todo-003'",
    "INSERT INTO todos SELECT 'phantom', text, created_at, updated_at, 1, false, 1 FROM todos LIMIT 1",
    "UPDATE todo_tallies SET active = active + 3 WHERE slot = (SELECT min(slot) FROM todo_tallies)",
    "UPDATE activity SET created = created + 1 WHERE ctid = (SELECT min(ctid) FROM activity)",
)


async def test_what_is_damaged_is_named_and_mended_on_demand(stage: Stage) -> None:
    await history(stage)
    before = await stage.rows(), await stage.minutes()
    for damage in DAMAGE:
        await stage.sql(damage)
    oids = await stage.value(OIDS)
    for _ in range(2):
        async with rebuild(stage) as one:
            done = await one.run()
        *told, activity = done.differences
        assert [(found.table, found.row, found.why) for found in told] == [
            ("todos", "phantom", "not in the log"),
            ("todos", "todo-001", "text"),
            ("todos", "todo-002", "applied, version"),
            ("todos", "todo-003", "missing in the live table"),
            ("todo_tallies", "", "active is 25, and from the log 22"),
        ]
        assert activity.table == "activity"
        assert (done.switched, done.differing, await stage.value(OIDS)) == (False, 6, oids)
    # It goes on: nothing was left to be filled by the second call.
    assert done.filled == 0

    async with rebuild(stage, mend=True) as one:
        done = await one.run()
    assert (done.switched, done.differing, done.filled) == (True, 6, 0)
    assert (await stage.rows(), await stage.minutes()) == before
    await stage.assert_right()


async def test_what_was_mended_by_hand_meanwhile_differs_no_more(stage: Stage) -> None:
    await history(stage)
    await stage.sql("UPDATE todos SET deleted = NOT deleted WHERE id = 'todo-001'")
    async with rebuild(stage) as one:
        assert not (await one.run()).switched
    await stage.sql("UPDATE todos SET deleted = NOT deleted WHERE id = 'todo-001'")
    async with rebuild(stage) as one:
        assert (await one.run()).switched
    await stage.assert_right()


async def test_a_log_that_lost_events_is_no_ground_to_mend_by(stage: Stage) -> None:
    await history(stage)
    await stage.sql("DELETE FROM events WHERE stream = 'todo-001' AND version = 2")
    async with rebuild(stage, mend=True) as one:
        done = await one.run()
    assert (done.switched, done.mendable) == (False, False)
    assert any(one.row == "todo-001" and "events are missing among versions" in one.why for one in done.differences)


async def test_what_was_skipped_stays_skipped(stage: Stage) -> None:
    await stage.append("todo-1", CREATED, POISON, UPDATED, POISON, UPDATED)
    await stage.append("todo-2", CREATED)
    await stage.catch_up()
    for _ in range(2):
        await operator.skip(stage.steps, "todo-1")
        await stage.catch_up()
    before = await stage.rows()
    async with rebuild(stage) as one:
        assert (await one.run()).switched
    assert await stage.rows() == before
    assert (await stage.oracle()).correctness.lost == 2


async def test_a_read_model_of_ones_own_without_sql_over_sets(stage: Stage) -> None:
    lengths = Table("lengths", MetaData(), Column("id", Text, primary_key=True), Column("length", Integer))

    async def apply(connection: Any, event: Event) -> None:
        if event.type == "TodoDeleted":
            await connection.execute("DELETE FROM lengths WHERE id = $1", event.stream)
        else:
            await connection.execute(
                "INSERT INTO lengths VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET length = excluded.length",
                *(event.stream, len(event.data["text"])),
            )

    model = ReadModel(name="lengths", tables=(lengths,), read={}, project={}, apply=apply)
    await history(stage)
    await stage.sql("CREATE TABLE IF NOT EXISTS lengths (id text PRIMARY KEY, length int)")
    await stage.sql("INSERT INTO lengths SELECT id, length(text) FROM todos WHERE NOT deleted")
    try:
        before = await stage.sql("SELECT * FROM lengths ORDER BY id")
        async with rebuild(stage, models=[model]) as one:
            assert (await one.run()).switched
        assert await stage.sql("SELECT * FROM lengths ORDER BY id") == before
        await stage.sql("UPDATE lengths SET length = 77 WHERE id = (SELECT min(id) FROM lengths)")
        async with rebuild(stage, models=[model], mend=True) as one:
            done = await one.run()
        assert (done.switched, done.differing) == (True, 2)
        assert await stage.sql("SELECT * FROM lengths ORDER BY id") == before
    finally:
        await stage.sql("DROP TABLE lengths")


async def test_what_can_not_go_along_is_refused_by_name(stage: Stage) -> None:
    await history(stage, 3)
    await stage.sql("CREATE MATERIALIZED VIEW still AS SELECT id FROM todos")
    try:
        async with rebuild(stage) as one:
            with pytest.raises(NotRebuilt, match=r"materialized view (public\.)?still"):
                await one.run()
    finally:
        await stage.sql("DROP MATERIALIZED VIEW still")
    refused = operator.Rebuild(stage.steps, stage.steps.models, "no owner")
    with pytest.raises(NotRebuilt, match="the role tidemark_operator may not make a schema"):
        await refused.run()
    assert await stage.value(LEFT) == 0


async def test_another_list_and_another_shape_want_a_restart(stage: Stage) -> None:
    await history(stage, 10)
    async with rebuild(stage, hook=At("fenced")) as one:
        with pytest.raises(Stopped):
            await one.run()
    async with rebuild(stage, models=[stage.steps.models[0]]) as one:
        with pytest.raises(NotRebuilt, match="a rebuild of todos, activity was broken off"):
            await one.run()
    await stage.sql("ALTER TABLE todos ALTER COLUMN text SET STORAGE EXTERNAL")
    async with rebuild(stage) as one:
        with pytest.raises(NotRebuilt, match="was changed since the rebuild was begun"):
            await one.run()
    async with rebuild(stage, restart=True) as one:
        assert (await one.run()).switched
    await stage.sql("ALTER TABLE todos ALTER COLUMN text SET STORAGE EXTENDED")
    await stage.assert_right()


async def test_a_second_one_is_refused_by_the_name_of_the_first(stage: Stage) -> None:
    await history(stage, 30)
    async with rebuild(stage, "the first", pause_s=0.3) as first, rebuild(stage, "the second") as second:
        running = asyncio.create_task(first.run())

        async def begun() -> bool:
            return bool(await stage.value(LEFT))

        await until(begun, "the first to begin")
        with pytest.raises(OtherRebuild, match="a rebuild is at work: the first"):
            await second.run()
        assert (await running).switched
    await stage.assert_right()


async def test_one_that_was_taken_over_writes_nothing(stage: Stage) -> None:
    await history(stage, 30)

    async def taken_over() -> None:
        await stage.sql("UPDATE public_rebuild.rebuild_record SET held_until = clock_timestamp()")
        async with rebuild(stage, "the second") as second:
            assert (await second.run()).switched

    for moment in ("filled", "fenced"):
        async with rebuild(stage, "the first", hook=At(moment, taken_over)) as first:
            with pytest.raises(OtherRebuild, match="has taken this one over"):
                await first.run()
        await stage.assert_right()
    assert await stage.value(LEFT) == 0


async def test_broken_off_anywhere_the_live_one_is_as_it_was_and_the_next_goes_on(stage: Stage) -> None:
    await history(stage)
    oids = await stage.value(OIDS)
    for moment in MOMENTS:
        before = await stage.rows()
        async with rebuild(stage, moment, hook=At(moment)) as one:
            with pytest.raises(Stopped):
                await one.run()
        assert (await stage.rows(), await stage.value(OIDS)) == (before, oids)
        await stage.append("todo-001", UPDATED)
        await stage.append(f"new at {moment}", CREATED)
        await stage.catch_up()
    async with rebuild(stage, "the last") as one:
        done = await one.run()
    assert done.switched
    # The others have filled what came before.
    assert done.filled == 2
    await stage.assert_right()


async def test_the_command_tells_what_it_did_and_ends_by_it(stage: Stage) -> None:
    await history(stage)
    names = {"READ_MODELS": ",".join(BOTH_NAMES)}
    await stage.sql("UPDATE todos SET text = 'forged' WHERE id = 'todo-001'")
    ended = await run(stage.url, "rebuild", "todos", **names)
    assert ended.code == Ending.BLOCKED, ended.err
    assert "todos 'todo-001': text" in ended.out
    assert "forged" not in ended.out
    ended = await run(stage.url, "rebuild", "todos", "--mend", "--json", **names)
    assert ended.code == Ending.DONE, ended.err
    told = json.loads(ended.out)
    assert (told["command"], told["switched"], told["differing"]) == ("rebuild", True, 1)
    assert told["events"] == sum(stage.versions.values())
    await stage.assert_right()

    ended = await run(stage.url, "rebuild", "nothing", **names)
    assert (ended.code, ended.out) == (Ending.REFUSED, "")
    assert "READ_MODELS" in ended.err
    assert "'nothing'" in ended.err
