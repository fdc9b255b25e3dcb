"""A store is projected by one list of read models: whoever has another one waits, or is refused, and says both."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from projection.registry import projectors
from projection.registry import read_models as registered
from projection.registry.read_models import OtherReadModels
from services.projector.endings import Ending
from tests.integration.projector.process import projector, run
from tests.integration.projector.stage import CREATED, POISON, Stage, faults, life, until
from tests.integration.projector.test_endings import end, start
from tests.read_models import BOTH_NAMES

TODOS: Final = ("todos",)
BOTH: Final = {"READ_MODELS": "todos,activity"}
WITH_ACTIVITY: Final[dict[str, Any]] = {"read_models": BOTH_NAMES}
ANEW: Final = "run `python -m services.projector reset --all` with READ_MODELS="


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """An empty stage whose oracle looks at both read models."""
    async with Stage.on(url, read_models=BOTH_NAMES) as both:
        yield both


async def history(stage: Stage) -> None:
    """Two todos, projected by `todos` alone."""
    await stage.append("todo-1", *life("a", "b", deleted=True))
    await stage.append("todo-2", *life("a", "b"))
    await stage.catch_up(read_models=TODOS)


async def kept(stage: Stage) -> list[tuple[Any, ...]]:
    """What the store has recorded."""
    return [tuple(row) for row in await stage.sql("SELECT read_models, becoming FROM kept_read_models")]


@pytest.mark.parametrize("serial", [False, True])
async def test_without_the_check_the_oracle_finds_activity_wrong(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, serial: bool
) -> None:
    async def unchecked(*_: object) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(registered, "agree", unchecked)
        await history(stage)
        await stage.append("todo-3", CREATED)
        await stage.catch_up(serial=serial)
    assert faults(await stage.oracle(serial=serial)).get("mismatched_rows")


@pytest.mark.parametrize("serial", [False, True])
async def test_a_job_with_another_list_ends_refused_and_names_both(stage: Stage, serial: bool) -> None:
    await history(stage)
    await stage.append("todo-3", CREATED)
    ended = await run(stage.url, "--once", SERIAL_PROJECTION=str(serial).lower(), **BOTH)
    assert ended.code == Ending.REFUSED
    assert "READ_MODELS=todos,activity: the store is projected by todos;" in ended.err
    assert f"{ANEW}todos,activity" in ended.err
    assert "Traceback" not in ended.err
    assert not await stage.projected()
    assert await stage.minutes() == []

    await stage.catch_up(read_models=TODOS)
    assert await kept(stage) == [(["todos"], None)]


async def test_a_projector_with_another_list_waits_and_says_why(stage: Stage, tmp_path: Path) -> None:
    await history(stage)
    health = tmp_path / "health.json"
    why = "the store is projected by todos;"
    async with projector(stage, tmp_path / "log", HEALTH_FILE=str(health), **BOTH) as running:
        await stage.append("todo-3", CREATED)
        await until(lambda: running.says(why), "the reason in the log")

        async def told() -> bool:
            return why in ((await stage.known(running.name)).waiting or "") and why in health.read_text()

        await until(told, "the reason in the stats and the health file")
        assert not await stage.projected()
        assert (await run(stage.url, "reset", "--all", **BOTH)).code == Ending.DONE
        await until(stage.projected, "the projector to go on by itself")
    await stage.assert_right()


async def test_the_order_of_the_names_is_no_difference(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.catch_up()
    await stage.append("todo-1", *life("a")[1:], POISON)
    await stage.catch_up(read_models=("activity", "todos"))
    assert await kept(stage) == [(["todos", "activity"], None)]


async def test_two_that_begin_at_once_agree_on_one_list(stage: Stage) -> None:
    for _ in range(20):
        await stage.sql("DELETE FROM kept_read_models")
        both = await asyncio.gather(
            registered.agree(stage.database, TODOS),
            registered.agree(stage.database, BOTH_NAMES),
            return_exceptions=True,
        )
        assert [type(one) for one in both if one is not None] == [OtherReadModels]
        assert await kept(stage) == [([*(TODOS if both[0] is None else BOTH_NAMES)], None)]


async def test_the_second_one_waits_until_the_first_has_recorded(stage: Stage) -> None:
    first = await asyncpg.connect(stage.url)
    async with first.transaction():
        await first.execute("INSERT INTO kept_read_models VALUES ('todos', '{todos}')")
        second = asyncio.create_task(registered.agree(stage.database, BOTH_NAMES))
        await until(stage.waiting, "the second one to meet the first")
    await first.close()
    with pytest.raises(OtherReadModels, match="is projected by todos;"):
        await second


async def test_a_store_that_lost_its_record_is_not_guessed_at(stage: Stage) -> None:
    await history(stage)
    await stage.sql("DELETE FROM kept_read_models")
    with pytest.raises(OtherReadModels, match="does not say by which read models"):
        await stage.catch_up(read_models=TODOS)
    assert (await run(stage.url, "reset", "--all", **BOTH)).code == Ending.DONE
    await stage.catch_up()
    await stage.assert_right()


@pytest.mark.parametrize("command", ["skip todo-1", "reset todo-1", "recount", "unblock todo-1", "unblock --all"])
async def test_a_command_with_another_list_is_refused(stage: Stage, command: str) -> None:
    await stage.append("todo-1", CREATED, POISON)
    await stage.catch_up(read_models=TODOS)
    ended = await run(stage.url, *command.split(), **BOTH)
    assert (ended.code, ended.out) == (Ending.REFUSED, "")
    assert ended.err.startswith("READ_MODELS=todos,activity: the store is projected by todos;")
    assert (await run(stage.url, *command.split())).code == Ending.DONE


@pytest.mark.parametrize("way", ["one more", "one less"])
async def test_a_reset_with_a_new_list_forgets_by_both_and_records_it(stage: Stage, way: str) -> None:
    old, new = (TODOS, BOTH_NAMES) if way == "one more" else (BOTH_NAMES, TODOS)
    await stage.append("todo-1", *life("a", "b", deleted=True))
    await stage.append("todo-2", *life("a", "b"))
    await stage.catch_up(read_models=old)

    ended = await run(stage.url, "reset", "--all", READ_MODELS=",".join(new))
    assert ended.code == Ending.DONE, ended.err
    assert "the counters are as the tables say" in ended.out
    assert await kept(stage) == [([*new], None)]
    assert await stage.minutes() == []
    await stage.catch_up(read_models=new)
    if way == "one less":
        stage.read_models = TODOS
        assert await stage.minutes() == []
    await stage.assert_right()


async def test_a_new_list_waits_until_those_at_work_have_stopped(stage: Stage) -> None:
    await history(stage)
    async with stage.projector(read_models=TODOS, strategy="stream-leases") as running:
        await until(lambda: _at_work(stage), "the projector to be registered")
        ended = await run(stage.url, "reset", "--all", "--timeout", "0.5", **BOTH)
        assert ended.code == Ending.REFUSED
        assert f"projectors are at work by another list: stop {running.name}" in ended.err
        assert await kept(stage) == [(["todos"], None)]
        await stage.append("todo-3", CREATED)
        await until(stage.projected, "the projector to go on")
    stage.read_models = TODOS
    await stage.assert_right()


async def test_who_registers_after_the_reset_has_looked_finds_the_list_that_becomes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(stage)
    await stage.append("todo-3", CREATED)
    register = projectors.register

    async def late(*arguments: Any) -> None:
        await stage.sql("UPDATE kept_read_models SET becoming = '{todos,activity}'")
        await register(*arguments)

    monkeypatch.setattr(projectors, "register", late)
    with pytest.raises(OtherReadModels, match="is on its way from todos to todos,activity"):
        await stage.catch_up(read_models=TODOS)
    assert not await stage.projected()


async def _at_work(stage: Stage) -> bool:
    return any(one.alive and not one.waiting for one in (await stage.stats()).projectors)


async def test_a_reset_that_is_broken_off_keeps_everybody_away_until_its_end(stage: Stage, tmp_path: Path) -> None:
    await history(stage)
    other = await asyncpg.connect(stage.url)
    await other.execute("BEGIN; LOCK TABLE todos IN SHARE MODE")
    process = await start("operator", stage.url, "reset", "--all", **BOTH)
    await until(stage.waiting, "the command to wait for the lock")
    process.send_signal(signal.SIGKILL)
    await end(process)
    await other.close()

    assert await kept(stage) == [(["todos"], ["todos", "activity"])]
    for names in ("todos", "todos,activity"):
        ended = await run(stage.url, "--once", READ_MODELS=names)
        assert ended.code == Ending.REFUSED
        assert "is on its way from todos to todos,activity, or was broken off" in ended.err
        assert f"{ANEW}todos,activity to its end" in ended.err
        assert (await run(stage.url, "recount", READ_MODELS=names)).code == Ending.REFUSED
    assert "leave --after out" in (await run(stage.url, "reset", "--all", "--after", "todo-1")).err

    assert (await run(stage.url, "reset", "--all", **BOTH)).code == Ending.DONE
    await stage.catch_up()
    await stage.assert_right()


async def test_a_projector_at_work_stops_at_its_heartbeat_when_a_new_list_comes(stage: Stage, tmp_path: Path) -> None:
    await history(stage)
    async with projector(stage, tmp_path / "log") as running:
        await until(lambda: _at_work(stage), "the projector to be registered")
        ended = await run(stage.url, "reset", "--all", **BOTH)
        assert ended.code == Ending.DONE, ended.err
        await stage.append("todo-3", CREATED)
        await until(lambda: running.says("the store is projected by todos,activity;"), "the reason in the log")
        assert not await stage.projected()
    await stage.catch_up()
    await stage.assert_right()


async def test_an_old_one_that_can_not_be_loaded_is_named(stage: Stage) -> None:
    await history(stage)
    await stage.sql("UPDATE kept_read_models SET read_models = '{todos,gone.prices}'")
    ended = await run(stage.url, "reset", "--all")
    assert (ended.code, ended.out) == (Ending.REFUSED, "")
    assert "READ_MODELS='gone.prices' is not usable" in ended.err
    remedy = ended.err.partition("its tables are gone: ")[2].strip()
    assert await kept(stage) == [(["todos", "gone.prices"], None)]
    await stage.sql(remedy)
    assert (await run(stage.url, "reset", "--all")).code == Ending.DONE
    assert await kept(stage) == [(["todos"], None)]
