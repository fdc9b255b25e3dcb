"""Evidence of deleted todos: packed without a loss, retired at the right moment, and missed when it is not there."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.loadgen.distributed.journal import Journal, JournalledLedger, replay
from services.loadgen.judge.convergence import judge_read_back
from services.loadgen.judge.deleted import HIGHEST, Deleted
from services.loadgen.judge.ledger import Counts, Ledger
from services.loadgen.judge.read_back import Findings, Row, check
from services.loadgen.settings import Settings
from services.loadgen.workload.run import Run

IDS = st.one_of(st.uuids().map(lambda id: f"todo-{id.hex}"), st.uuids().map(str), st.text(max_size=50))


def todo_id(number: int) -> str:
    return f"todo-{number:032x}"


def live(ledger: Ledger, id: str, updates: int = 0) -> None:
    ledger.begin(None)
    ledger.created(id, 1, "x")
    ledger.end(None)
    for version in range(2, 2 + updates):
        ledger.begin(id)
        ledger.updated(id, version, "y")
        ledger.end(id)


def deleted(ledger: Ledger, id: str, updates: int = 0) -> None:
    live(ledger, id, updates)
    ledger.begin(id)
    ledger.deleted(id, updates + 2)
    ledger.end(id)


def final_read(ledger: Ledger, rows: Mapping[str, Row], *, swept: bool) -> Findings:
    pages = list(rows.items()) if swept else None
    return check(ledger.todos, pages, lambda ids: {id: rows.get(id) for id in ids}, ledger.retired)


@given(st.lists(st.tuples(IDS, st.integers(1, HIGHEST))))
def test_what_is_packed_comes_out_again(todos: list[tuple[str, int]]) -> None:
    packed = Deleted()
    assert all(packed.add(id, version) for id, version in todos)
    assert sorted(packed) == sorted(todos)
    assert (len(packed), packed.writes) == (len(todos), sum(version for _, version in todos))


@pytest.mark.parametrize(("id", "version"), [("a", 0), ("a", HIGHEST + 1), ("a" * 70_000, 2)])
def test_what_can_not_be_packed_is_said(id: str, version: int) -> None:
    packed = Deleted()
    assert not packed.add(id, version)
    assert not list(packed)


def test_a_deleted_todo_is_retired_with_all_its_writes() -> None:
    ledger = Ledger()
    deleted(ledger, todo_id(1), updates=3)
    live(ledger, todo_id(2))
    assert ledger.todos.keys() == {todo_id(2)}
    assert list(ledger.retired) == [(todo_id(1), 5)]
    assert (ledger.entered, ledger.in_flight) == (6, 0)
    assert (
        judge_read_back(final_read(ledger, {todo_id(2): Row(1, "x")}, swept=True), ledger.entered).verdict
        == "converged"
    )


def test_an_answer_that_is_still_to_come_keeps_the_todo() -> None:
    ledger, id = Ledger(), todo_id(1)
    live(ledger, id)
    ledger.begin(id)
    ledger.begin(id)
    ledger.deleted(id, 3)
    ledger.end(id)
    assert id in ledger.todos
    ledger.updated(id, 2, "y")
    ledger.end(id)
    assert list(ledger.retired) == [(id, 3)]


def test_a_write_under_way_whose_answer_gets_lost_keeps_the_todo_whole() -> None:
    ledger, id = Ledger(), todo_id(1)
    live(ledger, id)
    ledger.begin(id)
    ledger.begin(id)
    ledger.deleted(id, 2)
    ledger.end(id)
    assert id in ledger.todos
    ledger.unanswered("update", id, "perhaps")
    ledger.end(id)
    assert (ledger.todos[id].versions, ledger.todos[id].maybe_texts) == ([1, 2], ["perhaps"])
    assert not list(ledger.retired)


@pytest.mark.parametrize("what", ["lost update", "lost delete", "repeated version", "gap"])
def test_a_todo_with_anything_unusual_is_kept_whole(what: str) -> None:
    ledger, id = Ledger(), todo_id(1)
    live(ledger, id)
    ledger.begin(id)
    match what:
        case "lost update":
            ledger.unanswered("update", id, "perhaps")
        case "lost delete":
            ledger.unanswered("delete", id, "")
        case "repeated version":
            ledger.updated(id, 1, "again")
        case _:
            ledger.updated(id, 3, "a version was left out")
    ledger.end(id)
    ledger.begin(id)
    ledger.deleted(id, 4 if what == "gap" else 2)
    ledger.end(id)
    assert id in ledger.todos
    assert not list(ledger.retired)


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize("todos", [3, 2500])
def test_a_deleted_todo_that_is_shown_is_a_fault(todos: int, *, swept: bool) -> None:
    ledger, back = Ledger(), todo_id(todos // 2)
    for number in range(todos):
        deleted(ledger, todo_id(number), updates=1)
    strangers = {f"todo-{number:032x}": Row(1, "?") for number in range(5000, 5010)}
    fine = final_read(ledger, strangers, swept=swept)
    assert (fine.checked, fine.faults) == (3 * todos, [])
    found = final_read(ledger, {**strangers, back: Row(2, "y")}, swept=swept)
    assert [(fault.stream, fault.missing) for fault in found.faults] == [(back, 1)]
    assert found.faults[0].acknowledged == "version 3, deleted"
    assert judge_read_back(found, ledger.entered).verdict == "diverged"


def test_evidence_that_forgets_one_deleted_todo_makes_the_run_invalid() -> None:
    class Forgetful(Deleted):
        """Leaves one out, without a word."""

        def add(self, id: str, version: int) -> bool:
            return id == todo_id(7) or super().add(id, version)

    ledger = Ledger()
    ledger.retired = Forgetful()
    for number in range(20):
        deleted(ledger, todo_id(number))
    found = final_read(ledger, {todo_id(7): Row(1, "x")}, swept=True)
    assert not found.faults
    judgement = judge_read_back(found, ledger.entered)
    assert (judgement.verdict, judgement.why) == ("invalid", "38 acknowledged writes were looked for, of 40")


def test_the_master_keeps_what_its_workers_retire() -> None:
    journal, master = Journal(), Run(Settings(), Counts())
    worker = JournalledLedger(journal)
    deleted(worker, todo_id(1), updates=1)
    live(worker, todo_id(2))
    replay(master, journal.take())
    assert worker.todos.keys() == master.ledger.todos.keys() == {todo_id(2)}
    assert list(master.ledger.retired) == [(todo_id(1), 3)]
    assert master.ledger.entered == 4


def test_the_evidence_of_a_deleted_todo_takes_a_few_bytes() -> None:
    ledger, random, todos = Ledger(), Random(1), 20_000

    def churn(first: int) -> None:
        for number in range(first, first + todos):
            deleted(ledger, todo_id(random.getrandbits(100) * 100_000 + number), updates=number % 3)

    churn(0)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        churn(todos)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    kept: Any = ledger.todos
    assert (len(kept), len(ledger.retired)) == (0, 2 * todos)
    # 20 bytes, and what a bytearray holds ready to grow.
    assert (after - before) / todos < 20 * 1.5 * 2
