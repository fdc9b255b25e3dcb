"""Faults on a target that tells no leases: which projector has the work, when it hit, and who went on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.faults import kill_projector, zombie_projector
from bench.trial.fault import NotApplicable
from bench.trial.takeovers import by_leases, by_progress
from settings.strategies import NOT_TOLD

STATS = {"eventCount": 100, "totalEventsProjected": 90, "totalTodos": 9, "activeTodos": 9, "backlog": 10}


class Target:
    """Projectors of which some work, on a clock of their own; each look is 0.1 s, in which each that works does one.

    `together`: each has its part of the work, else one of them has it all, the next one once that is gone.
    """

    base_url = ""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str, together: bool = False, backlog: int = 10) -> None:
        self.names, self.together, self.backlog = list(names), together, backlog
        self.out: set[str] = set()
        self.killed: list[str] = []
        self.at_kill: int | None = None
        self.projected, self.now = 90, 1000.0
        self.settings: Any = SimpleNamespace(projectors=len(names), strategy=NOT_TOLD)
        clock = SimpleNamespace(time=lambda: self.now, sleep=self.sleep, monotonic=lambda: self.now)
        monkeypatch.setattr(by_progress, "time", clock)
        monkeypatch.setattr(zombie_projector, "time", clock)
        monkeypatch.setattr(by_progress, "http_client", SimpleNamespace(figures=lambda _: self.look()))

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def at_work(self) -> bool:
        able = [name for name in self.names if name not in self.out]
        if self.together:
            return bool(able)
        # A frozen one keeps what it has: only its end lets another have it.
        owner = next((name for name in self.names if name not in self.killed), None)
        return owner is not None and owner not in self.out

    def look(self) -> dict[str, Any]:
        self.now += 0.1
        self.projected += self.at_work()
        return {**STATS, "totalEventsProjected": self.projected, "backlog": self.left()}

    def left(self) -> int:
        """As many are written as projected, until one is killed: then nobody writes any more."""
        return self.backlog if self.at_kill is None else max(0, self.backlog - (self.projected - self.at_kill))

    def parts(self, _: str) -> list[Any]:
        return [SimpleNamespace(name=name, holder=f"{name}-x") for name in self.names]

    def require(self, *_: Any) -> None:
        """All powers."""

    def pause(self, part: Any) -> None:
        self.out.add(part.name)

    def resume(self, part: Any) -> None:
        self.out.discard(part.name)

    def kill(self, part: Any) -> None:
        self.out.add(part.name)
        self.killed.append(part.name)
        self.at_kill = self.projected

    def start(self, part: Any) -> None:
        self.out.discard(part.name)


def struck(system: Any, module: Any = kill_projector, rounds: int = 1) -> Any:
    """The fault, once it has struck within so many rounds."""
    fault = module.Fault()
    fault.set_up(system)
    assert any(fault.invoke(system.look()) for _ in range(rounds))
    return fault


def until_over(fault: Any, system: Any, looks: int = 500) -> int:
    """Show it what is seen until it may heal; how many looks that took."""
    return next(number for number in range(looks) if fault.watch(system.look()))


def test_the_one_that_has_the_work_is_killed_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", "two")
    fault = struck(system)
    assert system.killed == ["one"]
    until_over(fault, system)
    found = fault.evidence({})
    assert found.hit
    assert found.takeover.takeover_s == pytest.approx(0.1)
    assert (found.takeover.by, found.takeover.takeovers, found.takeover.none_within_s) == ("progress", 1, None)
    assert (found.takeover.leases_held, found.takeover.not_told) == (None, ["leases in hand", "who took over"])
    assert "with a backlog of 10 event(s); progress without it after 0.1 s" in found.what


def test_where_the_first_is_idle_the_second_is_struck(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", "two")
    system.at_work = lambda: "two" not in system.out  # type: ignore[method-assign]
    fault = struck(system)
    assert (system.killed, system.out) == (["two"], {"two"})
    until_over(fault, system)
    assert fault.evidence({}).takeover.takeover_s is None


def test_nobody_takes_over_and_that_is_told_with_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", "two")
    system.at_work = lambda: "one" not in system.out  # type: ignore[method-assign]
    fault = struck(system)
    looks = until_over(fault, system)
    found = fault.evidence({})
    assert found.hit
    assert found.takeover.none_within_s == pytest.approx(by_progress.WITHIN_S, abs=0.2)
    assert looks > 100
    assert "stood still: nobody took over within 15.0 s" in found.what
    fault.heal()
    fault.watch(system.look())
    assert fault.evidence({}).takeover.takeover_s is None, "what comes after the heal is its own work"


def test_the_only_one_is_out_for_long_enough_to_see_the_backlog_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one")
    fault = struck(system)
    until_over(fault, system)
    found = fault.evidence({})
    assert found.hit
    assert found.takeover.none_within_s == pytest.approx(by_progress.ALONE_S, abs=0.2)
    assert "nobody else was there" in found.what


def test_where_all_work_side_by_side_the_first_is_struck_after_some_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", "two", together=True)
    fault = struck(system, rounds=by_progress.MOST_ROUNDS)
    assert system.killed == ["one"]
    until_over(fault, system)
    found = fault.evidence({})
    told = found.takeover
    assert found.hit
    assert (told.takeovers, told.takeover_s, told.none_within_s) == (None, None, None), "the others only worked on"
    assert by_progress.WORKED_ON in told.not_told
    assert "while others worked on; the backlog came to 0 without it after 1.0 s" in found.what


@pytest.mark.parametrize("module", [kill_projector, zombie_projector])
def test_a_share_that_nobody_takes_over_is_no_takeover_though_the_others_go_on(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = Target(monkeypatch, "one", "two", together=True)
    system.left = lambda: 10  # type: ignore[method-assign]
    fault = struck(system, module, rounds=by_progress.MOST_ROUNDS)
    until_over(fault, system)
    found = fault.evidence({})
    assert (found.takeover.takeovers, found.takeover.takeover_s) == (None, None)
    assert "the backlog did not come to 0 without it within 15." in found.what


def test_what_the_others_do_of_their_own_after_a_standstill_is_no_takeover(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", "two")
    system.left = lambda: 10  # type: ignore[method-assign]
    fault = struck(system)
    until_over(fault, system)
    found = fault.evidence({})
    told = found.takeover
    assert system.projected > 91
    assert (told.takeovers, told.takeover_s, told.none_within_s) == (None, None, None)
    assert by_progress.NEVER_FEWER in told.not_told
    assert "the backlog did not come to 0 without it within 15." in found.what


def test_without_a_backlog_it_waits_for_a_better_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", backlog=0)
    fault = kill_projector.Fault()
    fault.set_up(system)  # type: ignore[arg-type]
    assert not any(fault.invoke(system.look()) for _ in range(2 * by_progress.MOST_ROUNDS))
    assert (system.killed, system.out) == ([], set())


def test_a_frozen_one_goes_on_when_nobody_took_over(monkeypatch: pytest.MonkeyPatch) -> None:
    system = Target(monkeypatch, "one", "two")
    fault = struck(system, zombie_projector)
    assert (system.out, system.killed) == ({"one"}, [])
    until_over(fault, system)
    fault.heal()
    assert system.out == set()
    found = fault.evidence({})
    assert (found.hit, found.takeover.takeover_s) == (True, None)
    assert "was frozen (SIGSTOP) with a backlog" in found.what


@pytest.mark.parametrize("module", [kill_projector, zombie_projector])
def test_a_target_without_projectors_has_no_such_fault(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotApplicable, match="no projector process"):
        module.Fault().set_up(Target(monkeypatch))


def test_a_second_projector_is_needed_to_take_over_from_a_frozen_one(monkeypatch: pytest.MonkeyPatch) -> None:
    system: Any = Target(monkeypatch, "one")
    system.settings.target = SimpleNamespace(name="theirs", most_projectors=2)
    with pytest.raises(NotApplicable, match=r"PROJECTORS.*set PROJECTORS=2 or more"):
        zombie_projector.Fault().set_up(system)


def test_of_a_target_that_can_have_one_alone_no_second_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    system: Any = Target(monkeypatch, "one")
    system.settings.target = SimpleNamespace(name="theirs", most_projectors=1)
    with pytest.raises(NotApplicable, match=r"theirs has 1 at most by its manifest.*choose another fault") as refusal:
        zombie_projector.Fault().set_up(system)
    assert "PROJECTORS=2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("stats", "told"),
    [
        (STATS, False),
        ({**STATS, "projectors": []}, False),
        ({**STATS, "observedAt": "", "projectors": [{"holder": "a", "alive": True, "leasesHeld": 1}]}, False),
        ({**STATS, "observedAt": "", "projectors": [{"holder": "a", "lastTakeoverAt": None}]}, True),
    ],
)
def test_takeovers_are_taken_from_the_target_only_where_it_tells_them(stats: dict[str, Any], told: bool) -> None:
    assert by_leases.tells_takeovers(stats) is told
