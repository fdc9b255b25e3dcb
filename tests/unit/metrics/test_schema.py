"""The schema for strangers: made from the records, described, and of one mind with our own reader."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from metrics.documents import schema
from metrics.reading import BadDocument, read
from metrics.records.answers.published import Published
from metrics.records.record import write_json
from metrics.records.result import Result
from tests.unit.board import halves
from tests.unit.report.bundle import full

CHECK: Final = Path(sys.executable).with_name("check-jsonschema")
LATER: Final = ("staleness", "waterfall_ms", "resources", "neighbours")
"""Sections that results of this schema were once written without."""


def test_the_file_is_current() -> None:
    assert schema.PATH.read_text(encoding="utf-8") == schema.text(), "run `task docs`"


def test_every_field_says_what_it_is() -> None:
    made = schema.schema()["$defs"]
    bare = [
        f"{n}.{field}"
        for n, one in made.items()
        for field, told in one["properties"].items()
        if not told.get("description")
    ]
    assert bare == []
    assert [name for name, one in made.items() if not one["description"]] == []


@pytest.mark.parametrize(
    ("record", "field", "said"),
    [
        ("Throughput", "errors", "time-outs"),
        ("Throughput", "actions_per_s", "A second."),
        ("Percentiles", "p99", "99th percentile."),
        ("Convergence", "held_s", "Seconds."),
        ("Neighbours", "steal_share", "0 to 1"),
        ("Published", "measured_on", "UTC"),
    ],
)
def test_descriptions_are_those_of_the_records_with_units(record: str, field: str, said: str) -> None:
    assert said in schema.schema()["$defs"][record]["properties"][field]["description"]


def test_what_an_older_result_of_the_same_schema_lacks_is_not_required() -> None:
    made = schema.schema()["$defs"]["Result"]
    assert "resources" not in made["required"]
    assert {"verdict", "target", "why", "doubts"} <= set(made["required"])
    assert made["additionalProperties"] is False


def planted() -> dict[str, dict[str, Any]]:
    """Bad documents by what is wrong with each: of a result, and of what is published."""
    good, half = halves.result_document(), halves.document()

    def bad(document: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        made = copy.deepcopy(document)
        change(made)
        return made

    return {
        "no-verdict": bad(good, lambda d: d.pop("verdict")),
        "other-verdict": bad(good, lambda d: d.update(verdict="fine")),
        "text-for-number": bad(good, lambda d: d["throughput"].update(actions="9")),
        "one-field-more": bad(good, lambda d: d["convergence"].update(extra=1)),
        "fault-below-nothing": bad(good, lambda d: d["correctness"].update(lost=1, phantom=-1)),
        "negative-rate": bad(good, lambda d: d["throughput"].update(actions_per_s=-1.0)),
        "other-schema": bad(good, lambda d: d.update(schema=1)),
        "other-class": bad(good, lambda d: d["target"].update({"class": "best"})),
        "other-proof": bad(good, lambda d: d.update(proof="trust me")),
        "half-without-machine": bad(half, lambda d: d.pop("machine")),
        "half-of-no-day": bad(half, lambda d: d.update(measured_on="yesterday")),
        "half-with-a-bad-result": bad(half, lambda d: d["result"].update(mode="both")),
        "half-with-more": bad(half, lambda d: d.update(hostname="my-laptop")),
        "half-of-other-schema": bad(half, lambda d: d.update(schema=99)),
    }


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """Good and bad documents in a folder, and what `check-jsonschema` says of each that it refuses."""
    folder = tmp_path_factory.mktemp("documents")
    shutil.copy(full(folder) / "result.json", folder / "good-full.json")
    older = {name: value for name, value in halves.result_document().items() if name not in LATER}
    write_json(folder / "good-older.json", older)
    write_json(folder / "good-half.json", halves.document())
    write_json(folder / "good-no-postgres.json", {**halves.document(), "postgres": None})
    for name, document in planted().items():
        write_json(folder / f"bad-{name}.json", document)
    files = sorted(str(path) for path in folder.glob("*.json"))
    command = [str(CHECK), "--schemafile", str(schema.PATH), "--output-format", "json", *files]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert told["parse_errors"] == []
    found: dict[str, list[str]] = {}
    for error in told["errors"]:
        found.setdefault(Path(error["filename"]).name, []).append(error["message"])
    return folder, found


def test_check_jsonschema_takes_the_good_and_refuses_each_planted_bad(
    checked: tuple[Path, dict[str, list[str]]],
) -> None:
    _, refused = checked
    assert set(refused) == {f"bad-{name}.json" for name in planted()}


def test_our_own_reader_is_of_the_same_mind(checked: tuple[Path, dict[str, list[str]]]) -> None:
    folder, refused = checked
    ours = set()
    for path in folder.glob("*.json"):
        kind, number = (Published, 1) if "half" in path.name or "postgres" in path.name else (Result, 2)
        try:
            read(path, kind, schema=number)
        except BadDocument:
            ours.add(path.name)
    assert ours == set(refused)


def test_the_schema_is_one() -> None:
    done = subprocess.run(
        [str(CHECK), "--check-metaschema", str(schema.PATH)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
