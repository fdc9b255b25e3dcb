"""The rolling restart: each part in its turn, the next one once writes are acknowledged again."""

from __future__ import annotations

from typing import Any

import pytest

from bench.faults import rolling_restart
from tests.unit.faults.fakes import Clock, Part, System, Workers, stats

TOLD = [{"holder": "one", "leasesHeld": 1, "lastTakeoverAt": None}]


def struck(system: Any, **told: Any) -> rolling_restart.Fault:
    fault = rolling_restart.Fault()
    fault.set_up(system)
    assert fault.invoke(stats(projectors=TOLD, **told))
    return fault


def played(fault: Any, clock: Clock, *, written: bool = True, looks: int = 100, **told: Any) -> bool:
    """Look until it heals; whether it did."""
    for look in range(looks):
        clock.now += 0.2
        if fault.watch(stats(eventCount=1000 + look * written, projectors=TOLD, **told)):
            return True
    return False


@pytest.mark.parametrize(("api", "first"), [(Part, ["stop api", "start api"]), (Workers, ["replace api"])])
def test_each_is_restarted_in_its_turn(api: type[Part], first: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = Clock(monkeypatch, rolling_restart), System("one", "two", api=api)
    fault = struck(system)
    assert system.done == first
    assert played(fault, clock)
    assert system.done == [*first, "stop one", "start one", "stop two", "start two"]
    fault.heal()
    assert len(system.done) == len(first) + 4, "nothing is left to heal"
    found = fault.evidence({"acknowledged": {"indeterminate": 3}})
    assert found.hit
    assert "restarted in turn: api" in found.what
    assert "3 write(s) were not acknowledged" in found.what
    assert (found.takeover.takeovers, found.takeover.takeover_s) == (0, None)


def test_the_next_turn_waits_until_something_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = Clock(monkeypatch, rolling_restart), System("one")
    fault = struck(system)
    assert not played(fault, clock, written=False, looks=10)
    assert system.done == ["stop api", "start api"]
    assert not played(fault, clock, written=False)
    assert system.done[2:] == ["stop one", "start one"], "it goes on in the end"
    assert not fault.evidence({}).hit


def test_a_stream_that_stood_and_a_takeover_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = Clock(monkeypatch, rolling_restart), System("one")
    fault = struck(system)
    later = [{**TOLD[0], "lastTakeoverAt": "2026-01-01T00:00:02+00:00"}]
    fault.watch(stats(oldestUnprojectedAgeMs=4200.0, projectors=later))
    assert played(fault, clock)
    found = fault.evidence({})
    assert "a stream stood for 4.2 s at most, 1 takeover(s)" in found.what
    assert found.takeover.takeovers == 1


def test_what_tells_no_leases_is_restarted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = Clock(monkeypatch, rolling_restart), System()
    fault: Any = rolling_restart.Fault()
    fault.set_up(system)
    assert not fault.invoke(stats(eventCount=0)), "nothing was acknowledged before"
    assert fault.invoke(stats())
    assert any(fault.watch(stats(eventCount=1000 + look)) for look in range(50) if _tick(clock))
    found = fault.evidence({})
    assert found.hit
    assert (found.takeover.leases_held, found.takeover.takeovers) == (None, None)
    assert "stood" not in found.what


def _tick(clock: Clock) -> bool:
    clock.now += 0.2
    return True


def test_one_whose_restart_was_broken_off_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, rolling_restart)
    system: Any = System("one")
    fault = rolling_restart.Fault()
    fault.set_up(system)

    def broken(part: Part) -> None:
        part.stop()
        raise KeyboardInterrupt

    system.restart = broken
    with pytest.raises(KeyboardInterrupt):
        fault.invoke(stats())
    fault.heal()
    assert system.done == ["stop api", "start api"]
