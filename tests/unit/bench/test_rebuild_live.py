"""The drill of a rebuild: a hit only where it switched, had something to fill, and writes went on meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.faults import rebuild_live
from bench.faults.rebuild_live import Fault
from bench.trial.fault import NotApplicable

TOLD = {
    "read_models": ["todos"],
    "switched": True,
    "events": 5,
    "streams": 2,
    "seconds": 1.5,
    "projectors_ms": 30.0,
    "readers_ms": 9.0,
}


class System:
    """A system with tables of ours, whose rebuild says what it is told to say."""

    def __init__(self, log: Path, *, code: int | None = 0, **told: Any) -> None:
        log.write_text(f"waiting\n{json.dumps({**TOLD, **told})}\n")
        self.process = SimpleNamespace(
            popen=SimpleNamespace(poll=lambda: code), log=log, running=code is None, expendable=False
        )
        self.logins: Any = SimpleNamespace(owner="postgresql://owner@place/db")
        self.before: tuple[Any, ...] = ()
        self.command: list[str] = []
        self.has_store, self.settings = True, None
        self.processes = SimpleNamespace(start=self.start, end=self.end)
        self.started: dict[str, str] = {}
        self.ended = False

    def start(self, _name: str, command: list[str], env: dict[str, str]) -> Any:
        self.command, self.started = command, env
        return self.process

    def end(self, _process: Any) -> None:
        self.ended = True

    @property
    def shards(self) -> tuple[Any, ...]:
        return (*self.before, self.logins)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service is told of this run: its address alone."""
    monkeypatch.setattr(rebuild_live, "environment", lambda _settings, **addresses: addresses)


def made(system: Any) -> Fault:
    fault = Fault()
    fault.set_up(system)
    return fault


def stats(events: int, projected: int = 1) -> dict[str, int]:
    return {"eventCount": events, "totalEventsProjected": projected}


def test_it_waits_for_something_to_make_again_and_runs_as_the_owner(tmp_path: Path) -> None:
    system = System(tmp_path / "log")
    fault = made(system)
    assert not fault.invoke(stats(3, projected=0))
    assert fault.invoke(stats(3))
    assert (system.command, system.started) == (rebuild_live.COMMAND, {"DATABASE_URL": "postgresql://owner@place/db"})
    assert system.process.expendable


def test_of_several_shards_the_last_is_rebuilt_by_a_command_that_knows_all(tmp_path: Path) -> None:
    system = System(tmp_path / "log")
    system.before = (SimpleNamespace(owner="postgresql://owner@first/db"),)
    assert made(system).invoke(stats(3))
    assert system.command == [*rebuild_live.COMMAND, "--shard", "1"]
    assert system.started == {"DATABASE_URLS": "postgresql://owner@first/db postgresql://owner@place/db"}


@pytest.mark.parametrize(
    ("written", "code", "told", "hit"),
    [
        (4, 0, {}, True),
        (0, 0, {}, False),
        (4, 0, {"events": 0}, False),
        (4, 1, {"switched": False}, False),
        (4, 75, {}, False),
    ],
)
def test_it_hit_where_it_switched_while_writes_went_on(
    tmp_path: Path, written: int, code: int, told: dict[str, Any], hit: bool
) -> None:
    system = System(tmp_path / "log", code=code, **told)
    fault = made(system)
    fault.invoke(stats(10))
    system.process.running = True
    assert not fault.watch(stats(10 + written))
    system.process.running = False
    # What is written after its end does not count.
    assert fault.watch(stats(1000))
    fault.heal()
    assert not system.ended
    found = fault.evidence({})
    assert found.hit is hit
    assert ("held out for 30 ms" in found.what) or not told.get("switched", code == 0)


def test_one_that_still_runs_is_ended_and_no_hit(tmp_path: Path) -> None:
    system = System(tmp_path / "log", code=None)
    fault = made(system)
    fault.invoke(stats(10))
    fault.heal()
    assert system.ended
    assert not fault.evidence({}).hit


def test_it_needs_tables_of_ours(tmp_path: Path) -> None:
    system = System(tmp_path / "log")
    system.has_store = False
    with pytest.raises(NotApplicable):
        made(system)
