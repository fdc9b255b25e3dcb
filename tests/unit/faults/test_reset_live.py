"""The reset under load: all streams, then one; a hit where events come again while others are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bench.ends.errors import RunFailed
from bench.faults import reset_live
from bench.platforms.platform import LacksPower
from bench.trial.fault import NotApplicable
from tests.unit.faults.fakes import System, stats


class Command:
    """An operator's command that ends when it is told to."""

    def __init__(self, words: tuple[str, ...], answer: Mapping[str, Any] | None) -> None:
        self.words, self.running, self._answer = words, True, answer

    def answer(self) -> Mapping[str, Any]:
        self.running = False
        if self._answer is None:
            raise RunFailed("it ended with exit code 75")
        return self._answer


class Commands:
    """All that were begun."""

    def __init__(self, *answers: Mapping[str, Any] | None) -> None:
        self.begun: list[Command] = []
        self._answers = list(answers)

    def begin(self, _: Any, *words: str) -> Command:
        self.begun.append(Command(words, self._answers.pop(0)))
        return self.begun[-1]


def played(monkeypatch: pytest.MonkeyPatch, *answers: Mapping[str, Any] | None) -> tuple[Any, Commands]:
    """The fault, once it has begun."""
    commands = Commands(*answers)
    monkeypatch.setattr(reset_live, "Command", commands)
    system: Any = System("one")
    fault = reset_live.Fault()
    fault.set_up(system)
    assert not fault.invoke(stats(totalEventsProjected=0)), "there is nothing to forget"
    assert fault.invoke(stats())
    return fault, commands


def test_all_streams_then_the_newest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    fault, commands = played(monkeypatch, {"events": 900, "streams": 30}, {"events": 4, "streams": 1})
    newest = [{"stream": "todo-7"}, {"stream": "todo-1"}]
    assert not fault.watch(stats(totalEventsProjected=100))
    assert not fault.watch(None)
    commands.begun[0].running = False
    assert not fault.watch(stats(eventCount=1200, lastEvents=[])), "nothing took effect yet that could be reset"
    assert not fault.watch(stats(eventCount=1300, lastEvents=newest))
    assert [command.words for command in commands.begun] == [("reset", "--all"), ("reset", "todo-7")]
    assert not fault.watch(stats())
    commands.begun[1].running = False
    assert fault.watch(None)
    fault.heal()
    found = fault.evidence({})
    assert found.hit
    assert "reset --all put 900 event(s) of 30 stream(s) back, while 200 were written" in found.what
    assert "(projected: 900, then 100); reset of one stream put 4 back" in found.what


@pytest.mark.parametrize(("of_all", "of_one", "written"), [(0, 4, 10), (900, 0, 10), (900, 4, 0)])
def test_without_events_that_come_again_beside_others_it_did_not_hit(
    of_all: int, of_one: int, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, commands = played(monkeypatch, {"events": of_all, "streams": 1}, {"events": of_one, "streams": 1})
    commands.begun[0].running = False
    fault.watch(stats(eventCount=1000 + written, lastEvents=[{"stream": "todo-7"}]))
    fault.heal()
    assert not fault.evidence({}).hit


def test_a_command_that_failed_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    fault, _ = played(monkeypatch, None)
    with pytest.raises(RunFailed, match="exit code 75"):
        fault.heal()


def test_only_a_store_of_ours_that_we_run_is_reset() -> None:
    theirs: Any = System("one", ours=False)
    with pytest.raises(NotApplicable, match="mine has no commands of ours"):
        reset_live.Fault().set_up(theirs)
    attached: Any = System("one", powers=False)
    with pytest.raises(LacksPower):
        reset_live.Fault().set_up(attached)
