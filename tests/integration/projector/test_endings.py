"""How a projector's process ends, as its exit code and one line: the table of `endings`."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from services.projector.endings import MEANINGS, Ending
from tests.cluster import as_role
from tests.integration.projector.process import ROOT, environment, projector, run
from tests.integration.projector.stage import CREATED, PATIENCE_S, Stage, until

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
FOREVER = "60000"
LEASED = "SELECT count(*) FROM streams WHERE holder IS NOT NULL"


async def start(role: str, url: str, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
    """The process, under way."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.projector", *arguments),
        cwd=ROOT,
        env=environment(as_role(role, url), **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Its exit code and what it said."""
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, out.decode(), err.decode()


@SIGNALS
async def test_a_projector_that_is_told_to_end_is_done(stage: Stage, tmp_path: Path, number: signal.Signals) -> None:
    async with projector(stage, tmp_path / "log") as process:
        process.signal(number)
        assert await process.ended() == Ending.DONE


@SIGNALS
async def test_a_job_that_is_cut_short_says_by_which_signal(stage: Stage, number: signal.Signals) -> None:
    await stage.append("todo-1", CREATED)
    process = await start("projector", stage.url, "--once", HANDLER_LATENCY_MS=FOREVER)

    async def leased() -> bool:
        return bool(await stage.value(LEASED))

    await until(leased, "the lease")
    process.send_signal(number)
    assert (await end(process))[0] == 128 + number
    assert not await leased()


@SIGNALS
async def test_a_command_that_is_interrupted_leaves_nothing_half_done(stage: Stage, number: signal.Signals) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    other = await asyncpg.connect(stage.url)
    await other.execute("BEGIN; LOCK TABLE todos IN SHARE MODE")
    process = await start("operator", stage.url, "reset", "--all")
    await until(stage.waiting, "the command to wait for the lock")
    process.send_signal(number)
    code, out, err = await end(process)
    await other.close()

    assert (code, out) == (128 + number, "")
    assert f"reset was interrupted by {number.name}" in err
    await stage.assert_right()


async def test_a_defect_is_one_line_with_its_traceback_in_a_field(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    # No event's fault, and no setting's.
    await stage.sql("ALTER TABLE todo_tallies ALTER COLUMN todos TYPE text")
    try:
        ended = await run(stage.url, "--once")
    finally:
        await stage.sql("ALTER TABLE todo_tallies ALTER COLUMN todos TYPE bigint USING todos::bigint")
    assert ended.code == Ending.DEFECT
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert lines[-1]["event"] == "ended by a defect"
    assert "Traceback" in lines[-1]["exception"]
    await stage.catch_up()
    await stage.assert_right()


async def test_a_missing_right_is_named(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    ended = await run(stage.url, "--once", DATABASE_URL=as_role("oracle", stage.url))
    assert ended.code == Ending.REFUSED
    assert ended.err.count("permission denied") == 1
    assert "Traceback" not in ended.err


UNREADABLE = ["reset", "skip", "unblock", "mend", "reset x --timeout 0", "skip x --timeout soon", "reset x --after w"]


@pytest.mark.parametrize("words", UNREADABLE)
async def test_a_command_that_can_not_be_read_is_refused(stage: Stage, words: str) -> None:
    ended = await run(stage.url, *words.split())
    assert (ended.code, ended.out) == (Ending.REFUSED, "")
    assert "--help" in ended.err
    assert ended.err.count("\n") == 1


async def test_a_name_that_no_stream_can_have_is_refused(stage: Stage) -> None:
    for name in ("", "\udcff"):
        ended = await run(stage.url, "reset", name)
        assert (ended.code, ended.out) == (Ending.BLOCKED, "")
        assert "there is no" in ended.err
        assert ended.err.count("\n") == 1


async def test_help_and_the_page_for_operators_have_the_codes(stage: Stage) -> None:
    told = (await run(stage.url, "--help")).out
    page = (ROOT / "docs" / "operation" / "README.md").read_text(encoding="utf-8")
    for code, meaning in MEANINGS.items():
        assert re.search(rf"^  {code:<4}{re.escape(meaning)}$", told, re.MULTILINE)
        assert f"| {code:d} | {meaning} |" in page


async def test_what_a_command_did_can_be_had_as_json(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    await stage.sql("DELETE FROM todos")

    done = json.loads((await run(stage.url, "reset", "todo-1", "--json")).out)
    assert {name: done[name] for name in ("command", "stream", "streams", "events", "todos")} == {
        "command": "reset",
        "stream": "todo-1",
        "streams": 1,
        "events": 1,
        "todos": 0,
    }
    assert done["recounted"] == {"mended": {"todos": [1, 0], "active": [1, 0]}}
    assert done["said"].startswith("reset stream 'todo-1'")
    recounted = await run(stage.url, "recount")
    assert (recounted.code, recounted.out) == (0, "the counters are as the tables say\n")
