"""Who finds the store unsound says so everywhere, refuses what could be lost, and goes on by himself afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import httpx
import pytest

from eventstore.schema import REVISION
from tests.integration.api.server import ApiServer, assert_problem, serve
from tests.integration.projector.process import projector
from tests.integration.projector.stage import CREATED, Stage, until
from tests.integration.soundness.test_order_broken import BREAKS, history

ROLE = "narrow"
ALL_TABLES_BUT_NO_SEQUENCE = (
    f"""DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} LOGIN PASSWORD 'narrow';
      END IF;
    END $$""",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}",
    f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {ROLE}",
)


def post(api: ApiServer) -> httpx.Response:
    return api.client.post("/todos", json={"text": "milk"})


async def ready(api: ApiServer) -> bool:
    return (await asyncio.to_thread(api.client.get, "/readyz")).status_code == 200


async def test_a_sequence_that_was_set_back_while_all_runs(stage: Stage, tmp_path: Path) -> None:
    """Row S1: nothing is acknowledged below the cursor, and the reason is told by all."""
    await history(stage)
    health = tmp_path / "health.json"
    with serve(stage.url, tmp_path) as api:
        async with projector(stage, tmp_path / "log", SERIAL_PROJECTION="true", HEALTH_FILE=str(health)) as running:
            await stage.sql(BREAKS["set back to the start"].act)

            for _ in range(16):
                problem = assert_problem(post(api), 503, "store-unsound")
                assert "stands at 0, below the newest event at 12" in problem["detail"]
            assert "below the newest event" in assert_problem(api.client.get("/readyz"), 503, "not-ready")["detail"]
            assert api.client.get("/todos").status_code == 200

            await until(lambda: running.says("store unsound: waiting"), "the projector's log")
            await until(lambda: _waits(api, "below the newest event at 12"), "the projector's reason in /stats")
            assert "below the newest event at 12" in api.stats()["unsound"][0]
            await until(lambda: _written(health, "below the newest event"), "the reason in the health file")

            await stage.sql("SELECT setval('events_position_seq', 12)")
            await until(lambda: ready(api), "the API to be ready again")
            assert post(api).status_code == 201
            await until(stage.projected, "the projector to go on by itself")
            await until(lambda: running.says("store sound again"), "the projector to say so")
            assert running.log.read_text().count("store unsound: waiting") == 1
            await until(lambda: _written(health, '"why_not": ""'), "a health file without a reason")
            assert [one["waiting"] for one in api.stats()["projectors"] if one["alive"]] == [None]


@pytest.mark.parametrize("serial", ["true", "false"])
async def test_a_role_that_may_not_read_the_sequence(stage: Stage, tmp_path: Path, serial: str) -> None:
    """Row S2: NULL is not taken for a sequence that was never used."""
    for statement in ALL_TABLES_BUT_NO_SEQUENCE:
        await stage.sql(statement)
    narrow = stage.url.replace(stage.url.split("//")[1].split("@")[0], f"{ROLE}:narrow")
    try:
        with serve(stage.url, tmp_path, DATABASE_URL=narrow) as api:
            problem = assert_problem(api.client.get("/readyz"), 503, "not-ready")
            assert problem["detail"] == (
                "the role narrow lacks SELECT on events_position_seq;"
                " e.g. GRANT SELECT ON SEQUENCE events_position_seq TO narrow"
            )
            assert "SELECT on events_position_seq" in assert_problem(post(api), 503, "store-unsound")["detail"]

            log = tmp_path / "log"
            async with projector(stage, log, DATABASE_URL=narrow, SERIAL_PROJECTION=serial) as running:
                await until(lambda: running.says("lacks SELECT on events_position_seq"), "the reason in the log")
                await until(lambda: _waits(api, "events_position_seq"), "the reason in /stats")

                await stage.sql(f"GRANT SELECT ON SEQUENCE events_position_seq TO {ROLE}")
                await until(lambda: ready(api), "the API to be ready")
                assert post(api).status_code == 201
                await until(stage.projected, "the projector to go on by itself")
    finally:
        await stage.sql(f"DROP OWNED BY {ROLE}")


async def test_the_schemas_own_functions_name_the_right(stage: Stage) -> None:
    """Whoever writes or reads past the API gets no silent nothing either."""
    for statement in ALL_TABLES_BUT_NO_SEQUENCE:
        await stage.sql(statement)
    narrow = await asyncpg.connect(stage.url, user=ROLE, password="narrow")
    try:
        for statement in (
            "SELECT safe_position()",
            "INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')",
        ):
            with pytest.raises(asyncpg.PostgresError, match="the role narrow may not read the sequence"):
                await narrow.execute(statement)
    finally:
        await narrow.close()
        await stage.sql(f"DROP OWNED BY {ROLE}")


async def _waits(api: ApiServer, reason: str) -> bool:
    stats = await asyncio.to_thread(api.stats)
    return any(reason in (one["waiting"] or "") for one in stats["projectors"] if one["alive"])


async def _written(path: Path, text: str) -> bool:
    return text in await asyncio.to_thread(path.read_text, "utf-8")


async def test_a_projector_that_registers_while_the_schema_changes_waits(stage: Stage) -> None:
    """It found the former revision before its registration, which waits for the migration's lock."""
    migrating = await asyncpg.connect(stage.url)
    try:
        await migrating.execute("BEGIN; LOCK TABLE projectors IN SHARE MODE")
        await migrating.execute("UPDATE alembic_version SET version_num = '9999'")
        async with stage.projector() as running:
            await until(stage.waiting, "the registration to wait")
            await migrating.execute("COMMIT")
            await stage.append("todo-1", CREATED)

            async def told() -> bool:
                return "is at revision 9999" in ((await stage.known(running.name)).waiting or "")

            await until(told, "the projector's reason in the stats")
            assert not await stage.projected()
            await migrating.execute("UPDATE alembic_version SET version_num = $1", REVISION)
            await until(stage.projected, "the projector to go on by itself")
    finally:
        await migrating.execute("ROLLBACK")
        await migrating.execute("UPDATE alembic_version SET version_num = $1", REVISION)
        await migrating.close()
