"""The rules of a todo's text."""

from __future__ import annotations

import pytest

from todo.commands import MAX_TEXT, CreateTodo, UpdateTodo
from todo.errors import InvalidText


@pytest.mark.parametrize("make", [CreateTodo, UpdateTodo])
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "blank"),
        (" ", "blank"),
        ("\n\t\u2003", "blank"),
        ("x" * (MAX_TEXT + 1), "2001 characters; at most 2000"),
        ("nul\0", "NUL"),
        ("a\ud83d", "lone surrogate at index 1"),
        ("\udc00\ud800", "lone surrogate at index 0"),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused_by_name(
    make: type[CreateTodo | UpdateTodo], text: str, rule: str
) -> None:
    with pytest.raises(InvalidText, match=rule):
        make(text)


@pytest.mark.parametrize("make", [CreateTodo, UpdateTodo])
@pytest.mark.parametrize("text", ["a", "x" * MAX_TEXT, "😀" * MAX_TEXT, " padded ", "\ufeff", "a\u202eb", "\x01"])
def test_any_other_text_is_kept_as_it_is(make: type[CreateTodo | UpdateTodo], text: str) -> None:
    assert make(text).text == text
