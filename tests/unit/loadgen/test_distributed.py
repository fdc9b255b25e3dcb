"""The master replays what workers did: nothing is missed, nothing is counted too early."""

from __future__ import annotations

from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

from services.loadgen.distributed.journal import (
    Journal,
    JournalledEndpoints,
    JournalledLedger,
    JournalledRecorder,
    JournalledWatch,
    replay,
)
from services.loadgen.distributed.master import Master
from services.loadgen.judge.convergence import Evidence, Looks
from services.loadgen.judge.ledger import Counts
from services.loadgen.judge.stats import Stats
from services.loadgen.settings import Settings
from services.loadgen.workload.run import ConvergenceWatch, Run

STATS = Stats(Counts(1, 1, 2), 2, 0, 0, 0.0, 0, "", False, 1.0, 2.0, 2, 2, False, (), ())
MESSAGE = {"in_flight": 0, "scheduled": 0, "started": 0, "user_numbers": [], "entries": [], "cpu_percent": 1.0,
        "cpu_s": 0.5, "delay_p99_ms": 2.0, "written_at": None}  # fmt: skip


class Runner:
    """What Locust's master is to ours: who is there, and a way to tell them."""

    def __init__(self, *names: str) -> None:
        self.clients = SimpleNamespace(ready=[SimpleNamespace(id=name) for name in names])
        self.told: list[tuple[str, Any, str | None]] = []

    def send_message(self, name: str, data: Any, client_id: str | None = None) -> None:
        """Keep what is told."""
        self.told.append((name, data, client_id))


def two_workers() -> tuple[Run, Master, Runner]:
    """A run with two workers that has begun."""
    run, runner = Run(Settings(), Counts()), Runner("b", "a")
    made = Master(runner, run)  # type: ignore[arg-type]
    made.begin()
    return run, made, runner


def test_every_worker_gets_a_place_of_its_own() -> None:
    _, _, runner = two_workers()
    places = {client: (data["place"], data["of"]) for name, data, client in runner.told if name == "begin"}
    assert places == {"a": (0, 2), "b": (1, 2)}


def test_users_of_all_workers_have_numbers_of_their_own() -> None:
    runs = [Run(Settings(), Counts(), place=place, of=3) for place in range(3)]
    assert sorted(run.new_user_number() for run in runs for _ in range(4)) == list(range(12))


def test_a_write_counts_as_in_flight_until_its_worker_is_in_the_phase() -> None:
    run, made, runner = two_workers()
    made.take("a", {**MESSAGE, "step": 0})
    made.take("b", {**MESSAGE, "step": 0})
    run.enter(run.phases[-2], 5)
    assert runner.told[-1] == ("phase", {"step": 5}, None)
    assert run.ledger.in_flight > 0
    made.take("a", {**MESSAGE, "step": 5})
    made.take("b", {**MESSAGE, "step": 0})
    assert run.ledger.in_flight > 0
    made.take("b", {**MESSAGE, "step": 5, "in_flight": 2})
    assert run.ledger.in_flight == 2
    made.take("b", {**MESSAGE, "step": 5})
    assert run.ledger.in_flight == 0


def test_the_worst_worker_tells_whether_the_generator_was_saturated() -> None:
    run, made, _ = two_workers()
    made.take("a", {**MESSAGE, "step": 0, "cpu_percent": 99.0})
    made.take("b", {**MESSAGE, "step": 0})
    assert run.saturation.saturated


def test_the_processor_time_of_all_workers_counts() -> None:
    run, made, _ = two_workers()
    for name in ("a", "b", "a"):
        made.take(name, {**MESSAGE, "step": 0, "cpu_s": 2.0})
    assert run.processor_time.us_per_request(1_000_000) == 4.0


def test_what_is_scheduled_and_begun_is_summed_up() -> None:
    run, made, _ = two_workers()
    for name in ("a", "b", "a"):
        made.take(name, {**MESSAGE, "step": 0, "scheduled": 10, "started": 7})
    assert (run.scheduled, run.started) == (20, 14)


def test_the_masters_ledger_is_the_workers() -> None:
    journal = Journal()
    worker, master = Run(Settings(), Counts()), Run(Settings(), Counts())
    worker.ledger, worker.recorder = JournalledLedger(journal), JournalledRecorder(journal)
    worker.endpoints = JournalledEndpoints(journal)
    worker.ledger.created("t1", 1, "one")
    worker.ledger.created("t2", 1, "two")
    worker.ledger.updated("t1", 2, "more")
    worker.ledger.deleted("t2", 2)
    worker.ledger.unanswered("update", "t1", "perhaps")
    worker.recorder.request("action", "ok", 0.25, measured=True)
    worker.recorder.request("read", "error", 1.0, measured=True)
    worker.endpoints.note("GET /stats", "ok", 0.5, 200)
    replay(master, journal.take())
    assert journal.take() == []
    assert {id: asdict(todo) for id, todo in master.ledger.todos.items()} == {
        id: asdict(todo) for id, todo in worker.ledger.todos.items()
    }
    assert master.ledger.summary() == worker.ledger.summary() == {
        "creates": 2, "updates": 1, "deletes": 1, "indeterminate": 1,
    }  # fmt: skip
    assert master.recorder.answered == {"action": 1, "read": 0}
    assert master.recorder.errors == 1
    assert round(master.recorder.latency().actions.p50) == 250
    assert master.endpoints.next_interval(1.0)["endpoints"][0]["endpoint"] == "GET /stats"


def test_what_a_workers_reader_sees_confirms() -> None:
    run = Run(Settings(), Counts(1, 1, 2))
    watch = run.watch = ConvergenceWatch(run.ledger.expected(), [4], STATS, 0.0)
    journal = Journal()
    for _ in range(3):
        JournalledWatch(journal).note(4, replace(STATS, projectors=()), 5.0)
    replay(run, journal.take())
    evidence: Evidence = watch.evidence(60.0)
    assert evidence.confirmed
    assert evidence.stats == STATS


def test_the_end_was_seen_at_the_first_look_that_none_after_it_contradicts() -> None:
    """By whichever reader; a look that was asked earlier and answered later puts it off again."""
    run = Run(Settings(), Counts(1, 1, 2))
    behind = replace(STATS, backlog=1)
    watch = ConvergenceWatch(run.ledger.expected(), [4, 5], behind, 0.0, asked_at=1.0)
    assert watch.looks(None) == Looks(None, None, 1.0)
    watch.note(4, STATS, 2.0)
    first = watch.looks(0.5)
    assert (first.written_at, first.unseen_at) == (0.5, 1.0)
    assert first.seen_at is not None
    watch.note(5, STATS, 2.5)
    assert watch.looks(0.5) == first
    watch.note(5, behind, 1.5)
    assert watch.looks(0.5) == Looks(0.5, None, 1.5)
    watch.note(5, STATS, 3.0)
    assert (watch.looks(None).seen_at or 0.0) >= first.seen_at


def test_the_last_write_of_workers_elsewhere_has_no_moment_here() -> None:
    for listen, known in ((None, 5.0), ("127.0.0.1:5557", None)):
        run = Run(replace(Settings(), listen=listen), Counts())
        master = Master(Runner("w"), run)  # type: ignore[arg-type]
        master.take("w", {**MESSAGE, "step": 0, "written_at": 5.0})
        assert run.ledger.written_at == known
