"""A record: frozen fields that are written as plain JSON values and read back strictly.

Unknown, missing and ill-typed fields are refused by name, with the place.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from metrics.files import write_whole
from metrics.reading import WHERE_TOLD, typed


class BadRecord(ValueError):
    """A document that is not the record it should be; the message names the field."""


@dataclass(frozen=True)
class Record:
    """Base of all records: to and from plain JSON values."""

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, nested records included."""
        return {
            field.name: _plain(value)
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) or field.metadata != WHERE_TOLD
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read the record back. Raises BadRecord on a missing, unknown or ill-typed field, with its place."""
        try:
            return typed(document, cls)
        except msgspec.ValidationError as error:
            raise BadRecord(f"{cls.__name__}: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value] if isinstance(value, list) else tuple(map(_plain, value))
    return value


def write_json(path: Path, document: Any) -> None:
    """Write JSON so that a reader sees the old file or the whole new one."""
    write_whole(path, json.dumps(document, indent=2, sort_keys=False, default=str) + "\n")
