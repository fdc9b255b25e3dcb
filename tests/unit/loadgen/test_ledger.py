"""The ledger: expected counts from what was acknowledged, bounds from what was not answered."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.loadgen.judge.ledger import Counts, Expected, Ledger, hottest
from services.loadgen.judge.todo import Todo, todo_from_json, todo_to_json


def test_expected_counts_stand_on_the_baseline() -> None:
    ledger = Ledger(Counts(todos=10, active=4, events=30))
    ledger.created("a", 1, "x")
    ledger.created("b", 1, "y")
    ledger.updated("a", 2, "z")
    ledger.deleted("b", 2)
    exactly = Counts(todos=12, active=5, events=34)
    assert ledger.expected() == Expected(exactly, exactly)
    assert ledger.expected_active == 5


def test_unanswered_writes_only_widen_the_bounds() -> None:
    ledger = Ledger()
    ledger.created("a", 1, "x")
    ledger.unanswered("create", None, "y")
    ledger.unanswered("update", "a", "z")
    ledger.unanswered("delete", "a", "")
    assert ledger.expected() == Expected(low=Counts(1, 0, 1), high=Counts(2, 2, 4))
    assert ledger.todos["a"].maybe_texts == ["z"]
    assert ledger.todos["a"].maybe_deleted
    assert ledger.summary() == {"creates": 1, "updates": 0, "deletes": 0, "indeterminate": 3}


def test_bounds_admit_what_lies_within_them() -> None:
    expected = Expected(low=Counts(1, 0, 1), high=Counts(2, 2, 4))
    assert expected.admits(Counts(1, 0, 1))
    assert expected.admits(Counts(2, 2, 4))
    assert not expected.admits(Counts(3, 2, 4))
    assert not expected.admits(Counts(2, 3, 4))
    assert not expected.admits(Counts(2, 2, 5))
    assert not expected.admits(Counts(2, 2, 0))


def test_the_highest_version_wins_in_whatever_order_answers_come() -> None:
    ledger = Ledger()
    ledger.created("a", 1, "first")
    ledger.updated("a", 3, "third")
    ledger.updated("a", 2, "second")
    assert (ledger.todos["a"].version, ledger.todos["a"].text) == (3, "third")
    assert sorted(ledger.todos["a"].versions) == [1, 2, 3]


@given(st.lists(st.sampled_from(["create", "take", "delete"]), max_size=60), st.integers())
def test_a_todo_that_was_taken_or_deleted_is_never_picked_again(steps: list[str], seed: int) -> None:
    ledger, random, active = Ledger(), Random(seed), set[str]()
    for number, step in enumerate(steps):
        if step == "create":
            ledger.created(f"t{number}", 1, "x")
            active.add(f"t{number}")
        elif step == "take":
            active.discard(ledger.take(random) or "")
        elif active:
            gone = random.choice(sorted(active))
            ledger.deleted(gone, 2)
            active.discard(gone)
        picked = ledger.pick(random)
        assert (picked in active) if active else (picked is None)


def test_the_hot_todos_are_the_first_ones_and_are_never_taken() -> None:
    ledger, random = Ledger(hottest=3), Random(7)
    for number in range(3):
        assert ledger.pick_hot(random) is None, "they are not all there"
        ledger.created(f"hot{number}", 1, "x")
        assert ledger.take(random) is None
    for number in range(20):
        ledger.created(f"t{number}", 1, "x")
    assert {ledger.pick_hot(random) for _ in range(100)} == {"hot0", "hot1", "hot2"}
    taken = [ledger.take(random) for _ in range(20)]
    assert sorted(taken, key=str) == sorted(f"t{number}" for number in range(20))
    assert ledger.take(random) is None
    assert {ledger.pick(random) for _ in range(100)} == {"hot0", "hot1", "hot2"}, "readers see them, too"


def test_without_skew_there_are_no_hot_todos() -> None:
    ledger = Ledger(hottest=hottest(0.0, 0, 1))
    ledger.created("a", 1, "x")
    assert ledger.pick_hot(Random(1)) is None
    assert ledger.take(Random(1)) == "a"


@pytest.mark.parametrize(("workers", "expected"), [(1, [4]), (2, [2, 2]), (3, [2, 1, 1]), (6, [1] * 6)])
def test_workers_share_the_hot_todos_and_each_has_one_at_least(workers: int, expected: list[int]) -> None:
    assert [hottest(0.5, place, workers) for place in range(workers)] == expected


def test_adopted_writes_count_but_their_seeds_do_not() -> None:
    ledger = Ledger(Counts(1, 1, 1))
    ledger.adopt([Todo("p", 3, "c", versions=[1, 2, 3])], lost_updates=1)
    assert ledger.expected() == Expected(low=Counts(1, 1, 3), high=Counts(1, 1, 4))
    assert ledger.pick(Random(1)) is None


def test_a_todo_survives_the_way_between_processes() -> None:
    todo = Todo("p", 3, "c", versions=[1, 3], maybe_texts=["d"], maybe_deleted=True)
    assert todo_from_json(todo_to_json(todo)) == todo
