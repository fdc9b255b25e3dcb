"""`docs/results.schema.json`: JSON Schema 2020-12 of `result.json` and of what is published, made from their records.

A field's description is what the docstring of its record says of it: each sentence that has its name in backticks, and
the unit that its name tells. A record takes no other fields; a plain dict of surroundings does.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints, is_typeddict

import msgspec

from metrics.reading import required
from metrics.records.answers import published
from metrics.records.answers.published import Published
from metrics.records.result import SCHEMA, Result

PATH: Final = Path(__file__).parents[2] / "docs" / "results.schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

UNITS: Final = (
    ("_us_per_*", "Microseconds"),
    ("_bytes_per_*", "Bytes"),
    ("_events_per_s", "Events a second"),
    ("_per_s", "A second"),
    ("_ms", "Milliseconds"),
    ("_s", "Seconds"),
    ("_percent", "Percent"),
    ("_share", "A share, 0 to 1"),
    ("_gib", "GiB"),
)
"""By the end of a name, the longest first."""

RANKS: Final = {
    "p50": "Median",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "mean": "Mean",
    "max": "The largest",
    "final": "The last",
}
"""What these names say in every record."""


def text() -> str:
    """The file."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """A document with a `result` in it is held against what is published, any other against `result.json`."""
    roots = (Result, Published)
    _, components = msgspec.json.schema_components(roots, ref_template="#/$defs/{name}")
    records = {record.__name__: record for root in roots for record in _records(root)}
    definitions = {name: _definition(records[name], made) for name, made in sorted(components.items())}
    for name, number in ((Result.__name__, SCHEMA), (Published.__name__, published.SCHEMA)):
        definitions[name]["properties"]["schema"]["const"] = number
    return {
        "$schema": DIALECT,
        "title": "A result of tidemark: result.json, or its publishable half",
        "$comment": "Made by `task docs` from metrics/records; do not edit.",
        "type": "object",
        "if": {"required": ["result"]},
        "then": {"$ref": f"#/$defs/{Published.__name__}"},
        "else": {"$ref": f"#/$defs/{Result.__name__}"},
        "$defs": definitions,
    }


def _definition(record: type, made: Mapping[str, Any]) -> dict[str, Any]:
    """The library's schema of a record, with its words, and as strict as it is read."""
    said = _said(record)
    properties = {name: _property(name, said, told) for name, told in made["properties"].items()}
    told = {"title": made["title"], "description": said, "type": "object", "properties": properties}
    if dataclasses.is_dataclass(record):
        optional = {field.name for field in dataclasses.fields(record) if not required(field)}
        return {**told, "required": [n for n in properties if n not in optional], "additionalProperties": False}
    return {**told, "required": made.get("required", [])}


def _property(name: str, said: str, made: Mapping[str, Any]) -> dict[str, Any]:
    kind = {word: value for word, value in made.items() if word != "default"}
    words = " ".join((*_sentences(name, said), *_unit(name)))
    return {"description": words, **kind} if words else kind


def _sentences(name: str, said: str) -> Iterator[str]:
    if name in RANKS:
        yield f"{RANKS[name]}."
    for sentence in re.split(r"(?<=\.)\s+(?=[A-Z`])", said):
        if any(fnmatch(name, token) for token in re.findall(r"`([\w*]+)`", sentence)):
            yield sentence


def _unit(name: str) -> Iterator[str]:
    unit = next((unit for end, unit in UNITS if fnmatch(f"_{name}", f"*{end}")), None)
    if unit:
        yield f"{unit}."


def _said(record: type) -> str:
    """The docstring on one line; of a type that is made by a call, the string after it."""
    said = vars(record).get("__doc__") or _string_after(record)
    return re.sub(r"\bNone\b", "null", " ".join(said.split()))


def _string_after(record: type) -> str:
    tree = ast.parse(inspect.getsource(sys.modules[record.__module__]))
    for made, after in zip(tree.body, tree.body[1:], strict=False):
        named = isinstance(made, ast.Assign) and ast.unparse(made.targets[0]) == record.__name__
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return str(after.value.value)
    return ""


def _records(kind: Any) -> Iterator[type]:
    """This record, and those within it."""
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        assert isinstance(kind, type)
        yield kind
        for hint in get_type_hints(kind).values():
            yield from _records(hint)
    for part in get_args(kind):
        yield from _records(part)
