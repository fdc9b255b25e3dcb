"""Poison: who stops is seen for a while; then one is skipped, all are mended, and everything is to be right again."""

from __future__ import annotations

from typing import Any

import pytest

from bench.ends.errors import RunFailed
from bench.faults import poison
from bench.trial.foreign.poison import Poison
from tests.unit.faults.fakes import Clock, System, stats

PLANTED = [Poison(f"todo-{number}", 2, '{"text": "milk"}') for number in range(poison.STREAMS)]


class Repairs:
    """Stands for the operator and the DBA: what was asked for, and what was done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, found: list[Poison]) -> None:
        self.done: list[str] = []
        self.asked: list[tuple[int, int]] = []
        self._found = found
        for name, stands_in in (("spoil", self.spoil), ("mend", self.mend), ("carry_out", self.carry_out)):
            monkeypatch.setattr(poison, name, stands_in)
        monkeypatch.setattr(poison, "require_owner", lambda _: None)

    def spoil(self, _: Any, *, most: int, least: int) -> list[Poison]:
        self.asked.append((most, least))
        return self._found if len(self._found) >= least else []

    def mend(self, _: Any, poisons: list[Poison]) -> None:
        self.done.append(f"mend {len(poisons)}")

    def carry_out(self, _: Any, *words: str) -> dict[str, str]:
        self.done.append(" ".join(words))
        return {"command": words[0]}


def struck(system: Any) -> Any:
    """The fault, once it has struck."""
    fault = poison.Fault()
    fault.set_up(system)
    assert fault.invoke(stats())
    return fault


def blocked(*streams: str, scope: str = "stream") -> list[dict[str, str]]:
    return [{"stream": stream, "scope": scope} for stream in streams]


def test_in_parallel_mode_others_flow_and_one_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, repairs = Clock(monkeypatch, poison), Repairs(monkeypatch, PLANTED)
    fault = struck(System("one"))
    assert repairs.asked == [(poison.STREAMS, poison.STREAMS)]
    assert not fault.watch(stats(blocked=blocked("somebody-else")))
    clock.now += 0.5
    assert not fault.watch(None)
    assert not fault.watch(stats(blocked=blocked("todo-1")))
    clock.now += poison.STANDS_S
    assert fault.watch(stats(totalEventsProjected=950, blocked=blocked("todo-1", "todo-2")))
    fault.heal()
    assert repairs.done == ["skip todo-1", "mend 3", "reset todo-1", "unblock --all"]
    assert not fault.watch(stats())
    found = fault.evidence({})
    assert found.hit
    assert "2 of 3 poisoned stream(s) stopped after 0.5 s; within 2 s 50 other event(s) took effect" in found.what


def test_in_serial_mode_everything_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, repairs = Clock(monkeypatch, poison), Repairs(monkeypatch, PLANTED)
    fault = struck(System("one"))
    whole = blocked("todo-0", scope="projection")
    assert not fault.watch(stats(blocked=whole))
    clock.now += poison.STANDS_S
    assert fault.watch(stats(blocked=whole))
    fault.heal()
    assert repairs.done[0] == "skip todo-0"
    assert "the whole projection stopped after 0.0 s; within 2 s nothing took effect" in fault.evidence({}).what


def test_what_blocks_nothing_is_mended_and_did_not_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, repairs = Clock(monkeypatch, poison), Repairs(monkeypatch, PLANTED)
    fault = struck(System("one"))
    assert not fault.watch(stats())
    clock.now += poison.LONGEST_S
    assert fault.watch(stats())
    fault.heal()
    assert repairs.done == ["mend 3", "unblock --all"]
    assert not fault.evidence({}).hit


def test_projectors_stand_while_it_strikes_and_fewer_streams_do_once_enough_are_not_to_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Clock(monkeypatch, poison)
    repairs, system = Repairs(monkeypatch, PLANTED[:1]), System("one", "two")
    struck(system)
    assert system.done == ["pause one", "pause two", "resume one", "resume two"]
    assert repairs.asked[-1] == (poison.STREAMS, 1)
    assert set(repairs.asked[:-1]) == {(poison.STREAMS, poison.STREAMS)}


def test_projectors_go_on_also_where_the_strike_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch, poison)
    Repairs(monkeypatch, PLANTED)

    def refused(*_: Any, **__: Any) -> None:
        raise RunFailed("the DBA's statement failed")

    monkeypatch.setattr(poison, "spoil", refused)
    system: Any = System("one")
    fault = poison.Fault()
    fault.set_up(system)
    with pytest.raises(RunFailed):
        fault.invoke(stats())
    assert system.done == ["pause one", "resume one"]
