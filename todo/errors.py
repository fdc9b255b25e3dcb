"""Domain errors: what the rules of a todo refuse. None of them leaves an event.

TodoError
├── InvalidText      the text breaks the rules of `todo.commands`
├── TodoNotFound     no such todo, or it was deleted
└── TodoExists       a todo with this id was created before
"""

from __future__ import annotations


class TodoError(Exception):
    """Any refusal by the rules of the domain."""


class InvalidText(TodoError):
    """The text of a todo breaks a rule; the message names the rule."""


class TodoNotFound(TodoError):
    """There is no such todo, or it was deleted."""


class TodoExists(TodoError):
    """A todo with this id was created before."""
