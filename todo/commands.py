"""Commands of a todo. One that exists is well-formed: its text has passed the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from todo.errors import InvalidText

MAX_TEXT: Final = 2000
"""Longest text, in Unicode code points."""


def check_text(text: str) -> None:
    """Raises InvalidText unless the text has 1 to 2000 characters, not all blank, no NUL and no lone surrogate."""
    if len(text) > MAX_TEXT:
        raise InvalidText(f"text has {len(text)} characters; at most {MAX_TEXT} are allowed")
    if not text or text.isspace():
        raise InvalidText("text is blank")
    if "\0" in text:
        raise InvalidText("text contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidText(f"text contains a lone surrogate at index {error.start}") from error


@dataclass(frozen=True, slots=True)
class CreateTodo:
    """Make a todo. Raises InvalidText."""

    text: str

    def __post_init__(self) -> None:
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class UpdateTodo:
    """Replace the text. Raises InvalidText."""

    text: str

    def __post_init__(self) -> None:
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class DeleteTodo:
    """Delete the todo for good."""


TodoCommand = CreateTodo | UpdateTodo | DeleteTodo
