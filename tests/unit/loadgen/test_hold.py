"""The hold as the load generator leads it: when it begins, what it is worth, and what it is called without one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from metrics.records.sections.hold import Order, Told
from services.loadgen.distributed import hold as module
from services.loadgen.distributed.hold import Hold
from services.loadgen.judge.convergence import Held
from services.loadgen.judge.ledger import Counts
from services.loadgen.judge.stats import Stats
from services.loadgen.settings import Settings
from services.loadgen.workload.run import Halted, Run

STATS = Stats(Counts(1, 1, 7), 7, 0, 0, 0.0, 0, "", False, 1.0, 2.0, 7, 7, False, (), ())
OLD = replace(STATS, oldest_unprojected_age_ms=60_000.0, backlog=3)
STANDING = Told("standing", projectors=1, stood_at=100.0)
GOING_ON = Told("going on", projectors=1, stood_at=100.0, went_on_at=105.25, resolution_s=0.002)


@dataclass
class Supervisor:
    """What the hold needs of the link: answers to orders, and how often the visibility probe has not yet seen all."""

    answers: dict[Order, Told] = field(default_factory=lambda: {"stand still": STANDING, "go on": GOING_ON})
    unheld: str = ""
    unseen: int = 0
    orders: list[Order] = field(default_factory=list)

    def order(self, order: Order) -> Told:
        """Note it."""
        self.orders.append(order)
        return self.answers[order]

    def probe_has_seen(self) -> bool:
        """Not at first."""
        self.unseen -= 1
        return self.unseen < 0


def hold(supervisor: Supervisor, *seen: Stats, hold_s: float = 0.02) -> tuple[Hold, list[list[Order]]]:
    """A short one, in which these statistics are seen, the last of them for ever; and the orders before each look."""
    looks, before = list(seen) or [STATS], []

    def look() -> Stats:
        before.append(list(supervisor.orders))
        return looks.pop(0) if len(looks) > 1 else looks[0]

    return Hold(Run(replace(Settings(), hold_s=hold_s), Counts()), supervisor, look), before  # type: ignore[arg-type]


def test_projectors_stand_still_for_a_while_and_then_go_on() -> None:
    supervisor = Supervisor()
    made, _ = hold(supervisor)
    assert made.possible
    made.spend()
    assert supervisor.orders == ["stand still"]
    assert made.release(STATS) == Held(5.25, released_at=105.25, resolution_s=0.002)
    assert supervisor.orders == ["stand still", "go on"]


def test_it_begins_when_nothing_of_the_load_is_left_to_project_or_to_be_seen() -> None:
    made, before = hold(Supervisor(unseen=2), OLD, OLD, STATS)
    made.spend()
    # Twice something was old, twice the visibility probe had not seen all; the last look is within the hold.
    assert before == [[], [], [], [], [], ["stand still"]]


def test_a_projection_that_is_far_behind_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLED_WITHIN_S", 0.05)
    supervisor = Supervisor()
    made, _ = hold(supervisor, OLD)
    made.spend()
    assert made.release(STATS) == Held(why=module.BEHIND)
    assert supervisor.orders == []


def test_a_hold_that_does_not_hold_is_none() -> None:
    supervisor = Supervisor()
    made, _ = hold(supervisor)
    made.spend()
    held = made.release(replace(STATS, counts=Counts(1, 1, 12)))
    assert (held.seconds, held.missed) == (0.0, True)
    assert held.why == "no hold: 5 events were projected while all known projectors stood still"
    assert supervisor.orders == ["stand still", "go on"]


def test_who_can_not_be_stopped_is_told_to_go_on_all_the_same() -> None:
    lacking = Told("left out", "Docker does not answer")
    supervisor = Supervisor({"stand still": lacking, "go on": lacking})
    made, _ = hold(supervisor)
    made.spend()
    assert made.release(STATS) == Held(why="no hold: Docker does not answer", missed=True)
    assert supervisor.orders == ["stand still", "go on"]


def test_a_projector_that_stood_still_within_a_batch_is_told() -> None:
    made, _ = hold(Supervisor({"stand still": replace(STANDING, within_batch=1), "go on": GOING_ON}))
    made.spend()
    held = made.release(STATS)
    assert (held.missed, held.seconds) == (False, 5.25)
    assert held.why.startswith("1 projector(s) stood still within a batch")


def test_projectors_that_do_not_go_on_end_the_run() -> None:
    made, _ = hold(Supervisor({"stand still": STANDING, "go on": Told("left out", "no answer")}))
    made.spend()
    with pytest.raises(Halted, match="the projectors stand still: no answer"):
        made.release(STATS)


@pytest.mark.parametrize(("hold_s", "missed"), [(0.0, False), (5.0, True)])
def test_without_the_power_there_is_none_and_nobody_is_asked(hold_s: float, missed: bool) -> None:
    supervisor = Supervisor(unheld="nobody")
    made, _ = hold(supervisor, hold_s=hold_s)
    assert not made.possible
    assert made.release(STATS) == Held(why="no hold: nobody" if missed else "", missed=missed)
    assert supervisor.orders == []


BARE = Stats(Counts(1, 1, 7), 9, 2)


def test_where_no_age_is_told_it_begins_once_as_much_is_projected_as_there_was_at_the_end_of_the_load() -> None:
    later = replace(BARE, counts=Counts(1, 1, 8), events_in_store=20)
    made, before = hold(Supervisor(), BARE, later, replace(later, counts=Counts(1, 1, 9)))
    made.spend()
    assert before == [[], [], [], ["stand still"]]


def test_who_can_not_be_asked_where_it_stood_still_is_told_as_that() -> None:
    told = replace(STANDING, within_batch=None, clock="machine"), replace(GOING_ON, clock="machine")
    made, _ = hold(Supervisor({"stand still": told[0], "go on": told[1]}))
    made.spend()
    held = made.release(STATS)
    assert (held.seconds, held.released_at, held.clock, held.missed) == (5.25, 105.25, "machine", False)
    assert held.why == "1 projector(s) were stopped by SIGSTOP, within a batch or between two: not told"
