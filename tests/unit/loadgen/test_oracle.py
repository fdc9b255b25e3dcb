"""The black-box oracle, as a table: which final reads contradict what was acknowledged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from services.loadgen.contract import OutsideContract
from services.loadgen.judge.ledger import Ledger
from services.loadgen.judge.read_back import Row, check, examine, sweep, sweep_is_cheaper
from services.loadgen.judge.todo import Todo
from settings.scenarios.document import Operation

LIVE = Todo("t", 3, "c", versions=[1, 2, 3])
FROM_ZERO = Todo("t")
FROM_ZERO.acknowledge(0, "a")
GONE = Todo("t", 3, "", deleted=True, versions=[1, 2, 3])
IN_DOUBT = Todo("t", 3, "c", versions=[1, 2, 3], maybe_texts=["d", "e"], maybe_deleted=True)


@pytest.mark.parametrize(
    ("todo", "row", "missing"),
    [
        (LIVE, Row(3, "c"), 0),
        (LIVE, None, 1),
        (LIVE, Row(3, "b"), 1),
        (LIVE, Row(2, "b"), 1),
        (LIVE, Row(1, "a"), 2),
        (LIVE, Row(4, "c"), 1),
        (FROM_ZERO, None, 1),
        (FROM_ZERO, Row(0, "a"), 0),
        (FROM_ZERO, Row(0, "b"), 1),
        (GONE, None, 0),
        (GONE, Row(3, "c"), 1),
        (GONE, Row(2, "b"), 1),
        (Todo("t", 3, deleted=True, versions=[1, 2, 3], maybe_texts=["d"]), Row(4, "d"), 1),
        (IN_DOUBT, Row(3, "c"), 0),
        (IN_DOUBT, None, 0),
        (IN_DOUBT, Row(4, "d"), 0),
        (IN_DOUBT, Row(5, "e"), 0),
        (IN_DOUBT, Row(4, "c"), 1),
        (IN_DOUBT, Row(6, "e"), 1),
        (IN_DOUBT, Row(2, "b"), 1),
        (Todo("t", maybe_texts=["d"]), None, 0),
        (Todo("t", maybe_texts=["d"]), Row(9, "z"), 0),
        (Todo("t", 2, "b", versions=[1, 2, 2]), Row(2, "b"), 1),
    ],
)
def test_a_final_read_is_explained_or_a_fault(todo: Todo, row: Row | None, missing: int) -> None:
    fault = examine(todo, row)
    assert (fault.missing if fault else 0) == missing


def test_a_fault_says_what_was_acknowledged_and_what_is_shown() -> None:
    fault = examine(LIVE, Row(2, "b"))
    assert fault is not None
    assert (fault.stream, fault.acknowledged, fault.shown) == ("t", "version 3, text 'c'", "version 2, text 'b'")


@pytest.mark.parametrize(("operation", "named"), [("delete", True), ("update", False)])
def test_a_todo_that_is_gone_after_its_delete_was_refused_says_so(operation: Operation, named: bool) -> None:
    ledger = Ledger()
    ledger.created("t", 1, "a")
    ledger.refused(operation, "t")
    ledger.refused("create", None)
    ledger.refused("delete", "a stranger's")
    fault = examine(ledger.todos["t"], None)
    assert fault is not None
    assert fault.missing == 1
    assert ("delete was refused" in fault.shown) == named
    assert list(ledger.todos) == ["t"]


def test_a_suspect_of_the_sweep_is_looked_up_before_it_counts() -> None:
    asked: list[str] = []

    def look_up(ids: list[str]) -> Mapping[str, Row | None]:
        asked.extend(ids)
        return {"late": Row(1, "x"), "lost": None}

    todos = {id: Todo(id, 1, "x", versions=[1]) for id in ("fine", "late", "lost")}
    findings = check(todos, [("fine", Row(1, "x")), ("foreign", Row(8, "?"))], look_up)
    assert asked == ["late", "lost"]
    assert (findings.checked, findings.missing) == (3, 1)
    assert [fault.stream for fault in findings.faults] == ["lost"]


def test_without_a_sweep_every_todo_is_looked_up() -> None:
    findings = check({"t": LIVE}, None, dict.fromkeys)
    assert (findings.checked, findings.missing) == (3, 1)


def test_the_sweep_follows_the_pages_to_the_last() -> None:
    row = {"version": 1, "text": "x", "createdAt": "", "updatedAt": ""}
    pages: dict[str, Any] = {
        "/todos?limit=1000": {"todos": [{"id": "a", **row}, {"id": "b", **row}], "next": "b"},
        "/todos?limit=1000&after=b": {"todos": [{"id": "c", **row}], "next": None},
    }
    assert dict(sweep(pages.__getitem__)) == dict.fromkeys("abc", Row(1, "x"))


def test_a_server_full_of_others_todos_is_not_swept() -> None:
    assert sweep_is_cheaper(active=5_000, touched=6_000)
    assert not sweep_is_cheaper(active=1_000_000, touched=6_000)


@pytest.mark.parametrize(
    "page",
    [
        {"todos": []},
        {"todos": [{"id": "c", "version": 1}], "next": None},
        {"todos": [{"id": "c", "version": "1", "text": "x"}], "next": None},
        {"todos": [{"id": 7, "version": 1, "text": "x"}], "next": None},
        {"todos": [{"id": "c", "version": 1, "text": "x"}], "next": 7},
        {"todos": [{"id": "c", "version": 1, "text": "x"}], "next": "b"},
        {"todos": [], "next": "z"},
        ["c"],
        None,
    ],
    ids=str,
)
def test_a_page_outside_the_contract_ends_the_sweep_with_the_call(page: Any) -> None:
    """Also one that leads back: a sweep that goes round would never end."""
    first = {"todos": [{"id": "b", "version": 1, "text": "x"}], "next": "b"}
    pages: dict[str, Any] = {"/todos?limit=1000": first, "/todos?limit=1000&after=b": page}
    with pytest.raises(OutsideContract, match=r"GET /todos\?limit=1000&after=b answered 200"):
        list(sweep(pages.__getitem__))
