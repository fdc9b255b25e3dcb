"""Read JSON documents from disk into their declared types, strictly: one mechanism for everything that is read back.

A document that is not what it should be raises BadDocument, one line with the file, the place in it, what is wrong and
what to do. Strict JSON only: no NaN, no text for a number, no null where none is declared.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

AGAIN: Final = "put the file back as it was written, or measure again"
NOT_REQUIRED: Final = {"required": False}
"""Metadata of a record's field that documents of the same schema were once written without."""
WHERE_TOLD: Final = {**NOT_REQUIRED, "written": "where told"}
"""The same of one that is written only where it is not empty: of what most runs do not have."""

_PLACE: Final = " - at `"
_LONG: Final = re.compile(rb"\d{19}")
_GZIP: Final = b"\x1f\x8b"

T = TypeVar("T")


class BadDocument(ValueError):
    """A file that can not be used; the message is one line."""

    def __init__(self, path: Path, problem: str, remedy: str = AGAIN) -> None:
        self.path, self.problem, self.remedy = path, " ".join(problem.split()), remedy
        super().__init__(" ".join(f"{path}: {problem}; {remedy}".split()))


@dataclass(frozen=True)
class Lines:
    """The records of a file with one JSON object a line. `cut` says so when the last line is not whole, else empty."""

    records: list[dict[str, Any]]
    cut: str = ""


def read(path: Path, kind: type[T], *, schema: int | None = None) -> T:
    """The document, checked. Raises BadDocument, also where there is none."""
    raw = _parse(path, _content(path))
    if schema is not None and isinstance(raw, dict) and raw.get("schema", schema) != schema:
        problem = f"$.schema: {raw['schema']!r} is not the one that this version reads, {schema}"
        raise BadDocument(path, problem, "read it with the version of the project that wrote it, or measure again")
    return convert(raw, kind, path)


def read_optional(path: Path, kind: type[T]) -> T | None:
    """The document, checked; None where there is no such file. Raises BadDocument."""
    return read(path, kind) if path.exists() else None


def read_lines(path: Path, kind: type) -> Lines:
    """The records, each checked; none where there is no such file. Raises BadDocument with the number of the line.

    What a process that was killed leaves is no fault of the file: a last line without its end may be half a record.
    """
    if not path.exists():
        return Lines([])
    *whole, rest = _content(path, may_be_empty=True).split(b"\n")
    records = [_record(path, number, line, kind) for number, line in enumerate(whole, start=1)]
    if not rest:
        return Lines(records)
    try:
        return Lines([*records, _record(path, len(whole) + 1, rest, kind)])
    except BadDocument:
        return Lines(records, f"{path.name} ends within line {len(whole) + 1}, which is left out: the run was cut off")


def convert(raw: Any, kind: type[T], path: Path, place: str = "$") -> T:
    """The value as `kind`: a record is made, a plain dict stays as it was read. Raises BadDocument."""
    try:
        made = typed(raw, kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(_PLACE)
        raise BadDocument(path, f"{place}{where.rstrip('`').removeprefix('$')}: {problem}") from None
    return cast(T, made if dataclasses.is_dataclass(kind) else raw)


def typed(raw: Any, kind: type[T]) -> T:
    """The value as `kind`, its records with just their fields. Raises msgspec.ValidationError."""
    made = msgspec.convert(raw, kind)
    _refuse_other_fields(raw, kind)
    return made


def _record(path: Path, number: int, line: bytes, kind: type) -> dict[str, Any]:
    place = f"line {number}"
    raw = _parse(path, line, f"{place}: ")
    convert(raw, kind, path, f"{place}, $")
    return cast(dict[str, Any], raw)


def _content(path: Path, *, may_be_empty: bool = False) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise BadDocument(path, "is a folder or a device, not a file")
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadDocument(path, "there is no such file", "name the folder of a run that ended") from None
    except OSError as error:
        raise BadDocument(path, f"can not be read: {error.strerror}", "give yourself the right to read it") from None
    if content.startswith(_GZIP):
        raise BadDocument(path, "is compressed", "unpack it with gunzip")
    if not content.strip() and not may_be_empty:
        raise BadDocument(path, "is empty")
    return content.removeprefix(b"\xef\xbb\xbf")


def _parse(path: Path, content: bytes, place: str = "") -> Any:
    try:
        content.decode("utf-8")
        raw = msgspec.json.decode(content)
    except UnicodeDecodeError as error:
        raise BadDocument(path, f"{place}byte {error.start} is no UTF-8") from None
    except msgspec.DecodeError as error:
        raise BadDocument(path, f"{place}{error}") from None
    except RecursionError:
        raise BadDocument(path, f"{place}JSON is nested too deeply") from None
    if _LONG.search(content):
        _refuse_huge(raw, path, f"{place}$")
    return raw


def _refuse_huge(raw: Any, path: Path, place: str) -> None:
    """A whole number beyond 64 bits is none that we wrote, and none that can be shown."""
    if isinstance(raw, int) and abs(raw) >= 2**63:
        raise BadDocument(path, f"{place}: a number beyond all bounds")
    parts = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for name, part in parts:
        _refuse_huge(part, path, f"{place}[{name}]" if isinstance(name, int) else f"{place}.{name}")


def required(field: dataclasses.Field[Any]) -> bool:
    """Whether each document has the field."""
    return bool(field.metadata.get("required", True))


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    """The types of a record's fields. They are spelled in text, and each reading compiles it."""
    return get_type_hints(kind)


def _refuse_other_fields(raw: Any, kind: Any, place: str = "$") -> None:
    """Raise ValidationError unless each record has just its fields: no default stands in for what was cut out.

    That of a field that is not required may.
    """
    if not isinstance(raw, Mapping) or not isinstance(kind, type) or not hasattr(kind, "__annotations__"):
        return
    hints = _hints(kind)
    if dataclasses.is_dataclass(kind):
        spared = {field.name for field in dataclasses.fields(kind) if not required(field)}
        for problem, names in (
            ("contains unknown", set(raw) - set(hints)),
            ("missing required", set(hints) - set(raw) - spared),
        ):
            if names:
                raise msgspec.ValidationError(f"Object {problem} field `{min(names)}`{_PLACE}{place}`")
    for name, hint in hints.items():
        if get_origin(hint) is dict and isinstance(raw.get(name), Mapping):
            for key, value in raw[name].items():
                _refuse_other_fields(value, get_args(hint)[1], f"{place}.{name}.{key}")
            continue
        for part in (hint, *get_args(hint)):
            _refuse_other_fields(raw.get(name), part, f"{place}.{name}")
