"""Two workers are one generator: of the same users' requests the master has the same counts, histograms and evidence.

Users have the numbers and the draws that they would have in one process. What they meet (ids, answers, times) is the
server's; given the same, nothing that the master tells differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from random import Random
from typing import Any

import pytest

from services.loadgen.distributed.journal import (
    Journal,
    JournalledEndpoints,
    JournalledLedger,
    JournalledRecorder,
    replay,
)
from services.loadgen.judge.ledger import Counts
from services.loadgen.settings import Settings
from services.loadgen.workload.run import Run

USERS = 6
STEPS = 400


def requests(run: Run, index: int) -> Iterator[None]:
    """What user number `index` does and meets, a request at a time."""
    draws = Random(f"{run.settings.seed}/{index}")
    ids, versions = list[str](), dict[str, int]()
    for step in range(STEPS):
        seconds, lost = draws.expovariate(40), draws.random() < 0.02
        kind, label = "action", "POST /todos"
        if draws.random() < 0.4 or not ids:
            id, operation = f"todo-{index * STEPS + step:032x}", "create"
        else:
            id = draws.choice(ids)
            operation = draws.choice(["update", "delete", "read"])
            kind, label = ("read", "GET /todos/{id}") if operation == "read" else ("action", operation)
        if operation != "read":
            run.ledger.begin(None if operation == "create" else id)
            if lost:
                run.ledger.unanswered(operation, None if operation == "create" else id, "lost")  # type: ignore[arg-type]
            else:
                versions[id] = versions.get(id, 0) + 1
                enter(run, operation, id, versions[id])
            run.ledger.end(None if operation == "create" else id)
        if operation == "create" and not lost:
            ids.append(id)
        if operation == "delete":
            ids.remove(id)
        outcome: Any = "error" if lost else "ok"
        measured = step >= 50
        run.recorder.request(kind, outcome, seconds, measured=measured)  # type: ignore[arg-type]
        run.endpoints.note(label, outcome, seconds, 0 if lost else 200)
        yield


def enter(run: Run, operation: str, id: str, version: int) -> None:
    if operation == "create":
        run.ledger.created(id, version, f"text {version}")
    elif operation == "update":
        run.ledger.updated(id, version, f"text {version}")
    else:
        run.ledger.deleted(id, version)


def in_turns(users: list[Iterator[None]], random: Random) -> Iterator[None]:
    while users:
        user = random.choice(users)
        try:
            yield next(user)
        except StopIteration:
            users.remove(user)


def told(run: Run) -> dict[str, Any]:
    return {
        "throughput": run.recorder.throughput(10.0),
        "latency": run.recorder.latency(),
        "histograms": {kind: histogram.encode() for kind, histogram in run.recorder.histograms.items()},
        "endpoints": run.endpoints.next_interval(10.0),
        "acknowledged": run.ledger.summary(),
        "expected": run.ledger.expected(),
        "entered": run.ledger.entered,
        "todos": {id: asdict(todo) for id, todo in run.ledger.todos.items()},
        "retired": sorted(run.ledger.retired),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_two_workers_are_equal_to_one_process(seed: int) -> None:
    settings = Settings(seed=seed)
    alone = Run(settings, Counts())
    numbers = [alone.new_user_number() for _ in range(USERS)]
    for _ in in_turns([requests(alone, number) for number in numbers], Random(1)):
        pass

    master = Run(settings, Counts())
    workers = [Run(settings, Counts(), place=place, of=2) for place in range(2)]
    journals = [Journal(), Journal()]
    users = list[Iterator[None]]()
    for worker, journal in zip(workers, journals, strict=True):
        worker.ledger, worker.recorder = JournalledLedger(journal), JournalledRecorder(journal)
        worker.endpoints = JournalledEndpoints(journal)
        users += [requests(worker, worker.new_user_number()) for _ in range(USERS // 2)]
    assert sorted(number for worker in workers for number in worker.user_numbers) == numbers

    arrivals = Random(2)
    for _ in in_turns(users, Random(3)):
        if arrivals.random() < 0.05:
            replay(master, arrivals.choice(journals).take())
    for journal in reversed(journals):
        replay(master, journal.take())

    one, two = told(alone), told(master)
    assert one["acknowledged"]["deletes"] > 100
    assert len(one["retired"]) > 100
    for name, value in one.items():
        assert two[name] == value, name
