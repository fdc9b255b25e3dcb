"""Answers outside the HTTP contract: which call, what came, what was expected, in one line of bounded length.

Such an answer ends the run: a figure about a service that answers something else would mean nothing.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

import msgspec

SHOWN: Final = 160
"""Characters of an answer, and of a path, that are told."""

REFUSALS: Final = (404, 409)
"""What the rules of the contract refuse a well-formed write with."""
UNWELL: Final = 500
"""From here on a server says that it is not well: an error, as no answer is, and nothing against the contract."""

CREATED: Final = '201 with {"stream", "version"}'
UPDATED: Final = '200 with {"version"}'
DELETED: Final = '204 with an ETag, or 200 with {"version"}'
TODO: Final = '200 with {"id", "text", "version"}, or 404'


class Written(msgspec.Struct):
    """What a write is acknowledged with; the rest of the answer is passed over."""

    version: int
    stream: str = ""


class Versioned(msgspec.Struct):
    """What the visibility probe looks at of a todo."""

    version: int


T = TypeVar("T")


class OutsideContract(Exception):
    """An answer that the contract does not have. `content` is its body, or what was decoded of it."""

    def __init__(self, method: str, path: str, status: int, content: object, expected: str) -> None:
        came = f"{status} {shown(content)}".strip()
        super().__init__(f"{method} {shown(path)} answered {came}; expected {expected}")


def shown(content: object) -> str:
    """A stranger's content as it may be told: printable, in one line, and short."""
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else _text(content)
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 2 * SHOWN]).split())
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    try:
        return json.dumps(content)
    except (TypeError, ValueError):
        return repr(content)


def decoded(kind: type[T], method: str, path: str, status: int, content: bytes, expected: str) -> T:
    """The document of a 2xx answer. Raises OutsideContract for any other one, and for another document."""
    if 200 <= status < 300:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    raise OutsideContract(method, path, status, content, expected)
