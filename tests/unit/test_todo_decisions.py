"""Given events, when a command comes, then these events or this refusal."""

from __future__ import annotations

import pytest

from todo.commands import CreateTodo, DeleteTodo, TodoCommand, UpdateTodo
from todo.decisions import TodoState, decide, evolve, fold
from todo.errors import TodoError, TodoExists, TodoNotFound
from todo.events import TodoCreated, TodoDeleted, TodoEvent, TodoUpdated, UnknownEvent, from_data, to_data

MILK, BREAD = TodoCreated("milk"), TodoUpdated("bread")
GONE = TodoDeleted()

ACCEPTED: list[tuple[list[TodoEvent], TodoCommand, list[TodoEvent]]] = [
    ([], CreateTodo("milk"), [MILK]),
    ([MILK], UpdateTodo("bread"), [BREAD]),
    ([MILK], UpdateTodo("milk"), [TodoUpdated("milk")]),
    ([MILK, BREAD], UpdateTodo("milk"), [TodoUpdated("milk")]),
    ([MILK], DeleteTodo(), [GONE]),
    ([MILK, BREAD], DeleteTodo(), [GONE]),
]

REFUSED: list[tuple[list[TodoEvent], TodoCommand, type[TodoError]]] = [
    ([], UpdateTodo("bread"), TodoNotFound),
    ([], DeleteTodo(), TodoNotFound),
    ([MILK], CreateTodo("milk"), TodoExists),
    ([MILK, GONE], CreateTodo("milk"), TodoExists),
    ([MILK, GONE], UpdateTodo("bread"), TodoNotFound),
    ([MILK, GONE], DeleteTodo(), TodoNotFound),
]


@pytest.mark.parametrize(("given", "when", "then"), ACCEPTED)
def test_a_command_causes_events_that_can_follow(
    given: list[TodoEvent], when: TodoCommand, then: list[TodoEvent]
) -> None:
    state = fold(given)
    assert decide(state, when) == then
    fold(then, state)


@pytest.mark.parametrize(("given", "when", "refusal"), REFUSED)
def test_a_command_is_refused(given: list[TodoEvent], when: TodoCommand, refusal: type[TodoError]) -> None:
    with pytest.raises(refusal):
        decide(fold(given), when)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (TodoState.ABSENT, BREAD),
        (TodoState.ABSENT, GONE),
        (TodoState.ACTIVE, MILK),
        (TodoState.DELETED, MILK),
        (TodoState.DELETED, BREAD),
        (TodoState.DELETED, GONE),
    ],
)
def test_an_impossible_history_is_seen(state: TodoState, event: TodoEvent) -> None:
    with pytest.raises(ValueError, match=state.name):
        evolve(state, event)


@pytest.mark.parametrize("event", [MILK, BREAD, GONE])
def test_the_stored_form_reads_back(event: TodoEvent) -> None:
    assert from_data(*to_data(event)) == event


@pytest.mark.parametrize(
    ("type_name", "data"), [("TodoRenamed", {"text": "a"}), ("TodoCreated", {}), ("TodoUpdated", {"text": 1})]
)
def test_a_foreign_event_is_refused(type_name: str, data: dict[str, object]) -> None:
    with pytest.raises(UnknownEvent, match=type_name):
        from_data(type_name, data)
