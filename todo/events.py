"""Domain events of a todo, and their serialised form: a type name and JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never


@dataclass(frozen=True, slots=True)
class TodoCreated:
    """A todo came to be, with its first text."""

    text: str


@dataclass(frozen=True, slots=True)
class TodoUpdated:
    """The text was replaced."""

    text: str


@dataclass(frozen=True, slots=True)
class TodoDeleted:
    """The todo is gone for good; nothing follows."""


TodoEvent = TodoCreated | TodoUpdated | TodoDeleted


class UnknownEvent(ValueError):
    """A stored event that is none of a todo's."""


def to_data(event: TodoEvent) -> tuple[str, dict[str, Any]]:
    """The stored form: type name and data."""
    match event:
        case TodoCreated(text) | TodoUpdated(text):
            return type(event).__name__, {"text": text}
        case TodoDeleted():
            return "TodoDeleted", {}
        case _:
            assert_never(event)


def from_data(type_name: str, data: Mapping[str, Any]) -> TodoEvent:
    """Read the stored form back. Raises UnknownEvent."""
    match type_name, data:
        case "TodoCreated", {"text": str(text)}:
            return TodoCreated(text)
        case "TodoUpdated", {"text": str(text)}:
            return TodoUpdated(text)
        case "TodoDeleted", _:
            return TodoDeleted()
        case _:
            raise UnknownEvent(f"{type_name!r} with fields {sorted(data)} is no event of a todo")
