"""Decider of a todo: two pure functions, `decide` judges a command and `evolve` follows an event.

The state holds what decisions need and no more: whether the todo exists. Its text is the projection's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import assert_never

from todo.commands import CreateTodo, DeleteTodo, TodoCommand, UpdateTodo
from todo.errors import TodoExists, TodoNotFound
from todo.events import TodoCreated, TodoDeleted, TodoEvent, TodoUpdated


class TodoState(Enum):
    """Where a todo is in its life."""

    ABSENT = auto()
    ACTIVE = auto()
    DELETED = auto()


def decide(state: TodoState, command: TodoCommand) -> list[TodoEvent]:
    """The events that the command causes. Raises TodoNotFound or TodoExists; then it causes none."""
    if isinstance(command, CreateTodo):
        if state is not TodoState.ABSENT:
            raise TodoExists("a todo with this id was created before")
    elif state is TodoState.ABSENT:
        raise TodoNotFound("there is no such todo")
    elif state is TodoState.DELETED:
        raise TodoNotFound("the todo was deleted")
    return [intent(command)]


def intent(command: TodoCommand) -> TodoEvent:
    """The event that the command asks for, whatever the state."""
    match command:
        case CreateTodo(text):
            return TodoCreated(text)
        case UpdateTodo(text):
            return TodoUpdated(text)
        case DeleteTodo():
            return TodoDeleted()
        case _:
            assert_never(command)


def evolve(state: TodoState, event: TodoEvent) -> TodoState:
    """The state after the event. Raises ValueError for a history that `decide` can not have caused."""
    match state, event:
        case TodoState.ABSENT, TodoCreated():
            return TodoState.ACTIVE
        case TodoState.ACTIVE, TodoUpdated():
            return TodoState.ACTIVE
        case TodoState.ACTIVE, TodoDeleted():
            return TodoState.DELETED
        case _:
            raise ValueError(f"{type(event).__name__} can not follow in state {state.name}")


def fold(events: Iterable[TodoEvent], state: TodoState = TodoState.ABSENT) -> TodoState:
    """The state after all the events, from `state` on."""
    for event in events:
        state = evolve(state, event)
    return state
