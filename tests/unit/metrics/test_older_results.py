"""Results of the schema that were written before it grew: still read, with what they do not tell left as not told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import pytest

from metrics.reading import required
from metrics.records.record import Record, write_json
from metrics.records.result import Result, read_result
from tests.unit.bench import bundles

WRITTEN: Final = json.loads((Path(__file__).parent / "schema_2_as_first_written.json").read_text(encoding="utf-8"))
"""Fields of each record when the first result of schema 2 had it. Nothing is added here without another schema."""


def records(kind: type[Record]) -> Iterator[type[Record]]:
    """The record, and all that it is made of."""
    yield kind
    for hint in get_type_hints(kind).values():
        for part in (hint, *get_args(hint), *(inner for each in get_args(hint) for inner in get_args(each))):
            if isinstance(part, type) and issubclass(part, Record):
                yield from records(part)


KINDS: Final = {kind.__name__: kind for kind in records(Result) if kind.__name__ in WRITTEN}
"""Those that there were. A later one hangs on a field that is not required."""


@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_was_added_to_a_record_is_not_required(name: str) -> None:
    wanted = {field.name for field in dataclasses.fields(KINDS[name]) if required(field)}
    assert wanted <= set(WRITTEN[name])


def stripped(document: Any, kind: type[Record]) -> Any:
    """The document as it was when its schema was new."""
    told: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        if name in WRITTEN[kind.__name__]:
            inner = isinstance(hint, type) and issubclass(hint, Record)
            told[name] = stripped(document[name], hint) if inner else document[name]
    return told


def test_a_result_from_before_the_hold_is_read_and_tells_no_resolution(tmp_path: Path) -> None:
    document = bundles.result().to_dict()
    before = stripped(document, Result)
    assert "resolution_s" not in before["convergence"]
    assert "staleness" not in before
    # With the sections that came next, as they came.
    hints = get_type_hints(Result)
    later = {name: stripped(document[name], hints[name]) for name in ("staleness", "waterfall_ms")}
    assert "interval_ms" not in later["staleness"]
    for written in (before, {**before, **later}):
        write_json(tmp_path / "result.json", written)
        assert read_result(tmp_path / "result.json").convergence.resolution_s is None
