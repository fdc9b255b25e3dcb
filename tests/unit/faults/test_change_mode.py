"""The change of mode: all are stopped, a backlog gathers, the other strategy works, and they are exchanged by turns."""

from __future__ import annotations

from typing import Any

import pytest

from bench.faults import change_mode
from bench.platforms.platform import LacksPower
from bench.trial.fault import NotApplicable
from tests.unit.faults.fakes import Clock, System, stats


def at_work(strategy: str, *holders: str, each: int = 5) -> list[dict[str, Any]]:
    return [{"holder": holder, "strategy": strategy, "eventsProjected": each} for holder in holders]


def changed(system: Any) -> change_mode.Fault:
    """The fault, once the other strategy has begun."""
    fault = change_mode.Fault()
    fault.set_up(system)
    assert fault.invoke(stats())
    assert not fault.watch(None)
    assert not fault.watch(stats(backlog=change_mode.BACKLOG))
    return fault


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("global-order", "STRATEGY=stream-leases SERIAL_PROJECTION=false"),
        ("stream-leases", "STRATEGY=global-order SERIAL_PROJECTION=true"),
        ("stream-locks", "STRATEGY=global-order SERIAL_PROJECTION=true"),
    ],
)
def test_there_all_at_once_and_back_one_after_another(own: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = Clock(monkeypatch, change_mode), System("one", "two", strategy=own)
    fault = changed(system)
    there = ["stop one", "stop two", f"start one with {told}", f"start two with {told}"]
    assert system.done == there
    other = told.split(maxsplit=1)[0].removeprefix("STRATEGY=")
    clock.now += change_mode.WORKS_S
    assert fault.watch(stats(totalEventsProjected=910))
    fault.heal()
    assert system.done == [*there, "stop one", "start one", "stop two", "start two"]
    rows = [*at_work(other, "one#1"), *at_work(own, "one#2", "two#2", each=3)]
    assert not fault.watch(stats(totalEventsProjected=916, projectors=rows))
    found = fault.evidence({})
    assert found.hit
    assert f"{own} to {other} with a backlog of 20 event(s)" in found.what
    assert "10 and 6 event(s)" in found.what


def test_the_other_strategy_waits_for_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, system = Clock(monkeypatch, change_mode), System("one")
    fault: Any = change_mode.Fault()
    fault.set_up(system)
    fault.invoke(stats())
    assert not fault.watch(stats(backlog=change_mode.BACKLOG - 1))
    assert system.done == ["stop one"]
    clock.now += change_mode.LONGEST_S
    assert not fault.watch(stats(backlog=0))
    assert len(system.done) == 2
    clock.now += change_mode.LONGEST_S
    assert fault.watch(stats(backlog=0)), "it goes back though nothing came of it"
    fault.heal()
    assert not fault.evidence({}).hit


def test_it_goes_back_only_once_the_other_strategy_has_projected(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, change_mode)
    fault = changed(System("one"))
    clock.now += change_mode.WORKS_S
    assert not fault.watch(stats())
    assert fault.watch(stats(totalEventsProjected=901)), "it is seen before any heartbeat tells it"


def test_what_its_own_strategy_did_is_seen_also_before_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, change_mode)
    fault = changed(System("one"))
    clock.now += change_mode.WORKS_S
    assert fault.watch(stats(totalEventsProjected=950))
    fault.heal()
    fault.watch(stats(totalEventsProjected=960))
    assert not fault.evidence({}).hit, "until the last was exchanged, the other strategy may have done it"
    fault.watch(stats(totalEventsProjected=967))
    found = fault.evidence({})
    assert found.hit
    assert "50 and 7 event(s)" in found.what


def test_what_former_projectors_did_by_its_own_strategy_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, change_mode)
    fault = changed(System("one"))
    clock.now += change_mode.WORKS_S
    former = at_work("stream-leases", "one#0", each=1000)
    assert fault.watch(stats(totalEventsProjected=905, projectors=former))
    fault.heal()
    fault.watch(stats(totalEventsProjected=905, projectors=[*former, *at_work("stream-leases", "one#2", each=0)]))
    assert not fault.evidence({}).hit


def test_broken_off_before_the_other_strategy_began_they_are_started_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Clock(monkeypatch, change_mode)
    system: Any = System("one", "two")
    fault = change_mode.Fault()
    fault.set_up(system)
    fault.invoke(stats())
    fault.heal()
    fault.watch(stats(backlog=change_mode.BACKLOG))
    assert [word for word in system.done if word.startswith("start")] == ["start one", "start two"]


def test_what_has_no_modes_of_ours_or_no_power_has_no_such_fault() -> None:
    theirs: Any = System("one", ours=False)
    with pytest.raises(NotApplicable, match="mine has no strategies of ours"):
        change_mode.Fault().set_up(theirs)
    without: Any = System("one", powers=False)
    with pytest.raises(LacksPower):
        change_mode.Fault().set_up(without)
    nobody: Any = System()
    with pytest.raises(NotApplicable, match="no projector process"):
        change_mode.Fault().set_up(nobody)
