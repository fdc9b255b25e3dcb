"""Todo as an event-sourced aggregate of the library `eventsourcing`, its application, and the environment of both."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError
from eventsourcing.utils import retry

MAX_TEXT: Final = 2000
"""Longest text, in Unicode code points."""

CONFLICTS: Final = 20
"""So often a command is tried again after another writer was first."""


class InvalidText(ValueError):
    """The text breaks a rule of the contract."""


class TodoDeleted(LookupError):
    """The todo is gone for good."""


def check_text(text: object) -> str:
    """The text itself. Raises InvalidText unless it has 1 to 2000 characters, not all blank, no NUL, no surrogate."""
    if not isinstance(text, str) or not text.strip():
        raise InvalidText("text is missing, no string, or blank")
    if len(text) > MAX_TEXT:
        raise InvalidText(f"text has {len(text)} characters; at most {MAX_TEXT} are allowed")
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidText("text contains a NUL character or a lone surrogate")
    return text


class Todo(Aggregate):
    """A todo: created once, updated any number of times, deleted for good."""

    @dataclass(frozen=True)
    class Created(Aggregate.Created):
        """It came to be, with its first text."""

        text: str

    @dataclass(frozen=True)
    class Updated(Aggregate.Event):
        """The text was replaced."""

        text: str

    @dataclass(frozen=True)
    class Deleted(Aggregate.Event):
        """Nothing follows."""

    @event(Created)
    def __init__(self, text: str) -> None:
        self.text = text
        self.is_deleted = False

    def update(self, text: str) -> None:
        """Replace the text. Raises TodoDeleted."""
        self._require_active()
        self._replace(text=text)

    def delete(self) -> None:
        """Delete it for good. Raises TodoDeleted."""
        self._require_active()
        self._discard()

    @event(Updated)
    def _replace(self, text: str) -> None:
        self.text = text

    @event(Deleted)
    def _discard(self) -> None:
        self.is_deleted = True

    def _require_active(self) -> None:
        if self.is_deleted:
            raise TodoDeleted("the todo was deleted")


class Todos(Application[UUID]):
    """The commands. Each is one save, which the library's recorder commits before it returns.

    A save of a version that another writer was first with raises IntegrityError; the command is then decided anew.
    """

    def create(self, text: str) -> Todo:
        """A new todo."""
        todo = Todo(text=text)
        self.save(todo)
        return todo

    @retry(IntegrityError, max_attempts=CONFLICTS)
    def update(self, id: UUID, text: str) -> int:
        """The version that it has now. Raises AggregateNotFoundError, TodoDeleted, IntegrityError."""
        todo: Todo = self.repository.get(id)
        todo.update(text)
        self.save(todo)
        return todo.version

    @retry(IntegrityError, max_attempts=CONFLICTS)
    def delete(self, id: UUID) -> int:
        """The version that it has now. Raises AggregateNotFoundError, TodoDeleted, IntegrityError."""
        todo: Todo = self.repository.get(id)
        todo.delete()
        self.save(todo)
        return todo.version


def environment() -> dict[str, str]:
    """The library's variables for the database of DATABASE_URL; all others are left at their defaults."""
    url = urlsplit(os.environ["DATABASE_URL"])
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": unquote(url.path.strip("/")),
        "POSTGRES_HOST": url.hostname or "",
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": unquote(url.username or ""),
        "POSTGRES_PASSWORD": unquote(url.password or ""),
    }
