"""Validation of an append, before anything is sent and alike in every implementation; raises InvalidEvent.

A name (stream, event type, key, fingerprint) is text of 1 to 1,000 bytes of UTF-8 without NUL, so that an index can
hold it. Data is a JSON object, nested at most 100 deep; whole numbers have at most 1,024 bits, as a double reaches.
NaN and infinity are no JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from eventstore.errors import InvalidEvent
from eventstore.events import IdempotencyKey, NewEvent

LONGEST_NAME: Final = 1000
DEEPEST: Final = 100
LONGEST_NUMBER: Final = 1024

Container = dict[object, object] | list[object] | tuple[object, ...]

_encode: Final = msgspec.json.Encoder().encode


def checked(stream: str, events: Sequence[NewEvent], key: IdempotencyKey | None) -> tuple[str, ...]:
    """The data of each event as JSON text. Raises InvalidEvent for an append that the store can not hold."""
    if not events:
        raise InvalidEvent(f"an append to stream {stream!r} has no events")
    _check_name("a stream's name", stream)
    if key is not None:
        _check_name("an idempotency key", key.key)
        _check_name("a fingerprint", key.fingerprint)
    return tuple([_json(event) for event in events])


def _check_name(what: str, name: str) -> None:
    fault = _text_fault(name)
    if fault is None and not 1 <= len(name.encode()) <= LONGEST_NAME:
        fault = f"not 1 to {LONGEST_NAME} bytes long"
    if fault:
        raise InvalidEvent(f"{what} is {fault}: {name[:100]!r}")


@lru_cache(1000)
def _check_type(name: str) -> None:
    """Types are few, and come again and again."""
    _check_name("an event's type", name)


def _json(event: NewEvent) -> str:
    _check_type(event.type)
    plain = _json_of_texts(event.data)
    if plain is not None:
        return plain
    fault = _fault(event.data, DEEPEST) if isinstance(event.data, dict) else "no JSON object"
    if fault:
        raise InvalidEvent(f"the data of event {event.type!r} is not JSON that can be stored: a value is {fault}")
    return _encode(event.data).decode()


def _json_of_texts(data: object) -> str | None:
    """The JSON of an object that holds nothing but texts, the common case; None where a closer look is needed."""
    if type(data) is not dict:
        return None
    for name, value in data.items():
        if type(value) is not str or type(name) is not str:
            return None
    try:
        encoded = _encode(data).decode()
    except UnicodeEncodeError:
        return None
    return None if r"\u0000" in encoded else encoded


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "text with a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text with half of a surrogate pair"
    return None


def _fault(value: object, depth: int) -> str | None:
    """What makes the value no JSON, or None."""
    if isinstance(value, str):
        return _text_fault(value)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if value.bit_length() <= LONGEST_NUMBER else f"a number of more than {LONGEST_NUMBER} bits"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value}"
    if not isinstance(value, dict | list | tuple):
        return f"a {type(value).__name__}"
    return _inner_fault(value, depth - 1) if depth else f"nested more than {DEEPEST} deep"


def _inner_fault(value: Container, depth: int) -> str | None:
    if isinstance(value, dict):
        for name in value:
            fault = _text_fault(name) if isinstance(name, str) else f"named by {name!r}, which is no text"
            if fault:
                return fault
        value = list(value.values())
    for part in value:
        fault = _fault(part, depth)
        if fault:
            return fault
    return None
