"""Publish a bundle: the half of it that anybody may have, as `results/<target>/<date>-<machine>.json`.

Refused, with the reason: a document that is not its record, a run with the test profile of Postgres or with a fault,
and, unless it is asked for, one whose figures are in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.answers.board.private import stripped, stripper
from bench.bundle.reading import refusing
from bench.ends.errors import SetupError
from metrics.reading import BadDocument, convert, read, read_optional
from metrics.records.answers import drills, published
from metrics.records.answers.drills import Drill, Drills
from metrics.records.answers.published import Published
from metrics.records.loadgen import Loadgen
from metrics.records.record import write_json
from metrics.records.result import read_result
from metrics.records.surroundings import Machine, Postgres, Versions

TEST_PROFILE: Final = "was measured with the test profile of Postgres, which is not durable"
_MOST: Final = 99
"""Files of one target, day and machine."""


def publish(folder: Path, faults: Sequence[Path], results: Path, *, anyway: bool) -> Path:
    """Write the file, and return where. Raises SetupError."""
    if (folder / "fault.json").exists():
        raise SetupError(str(folder), "had a fault injected, so its figures are of that", "publish it by --drills")
    with refusing():
        half = publishable(folder, [drill for each in faults for drill in read_drills(each)["drills"]])
    if of_test_profile(half):
        raise SetupError(str(folder), TEST_PROFILE, "measure again without it")
    if not anyway and (found := next(doubts(half), "")):
        raise SetupError(str(folder), f"is in doubt: {found}", "measure again, or say --anyway")
    path = _place(half, results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, half.to_dict())
    except OSError as error:
        raise SetupError(str(path), f"can not be written: {error.strerror}", "make room") from error
    return path


def publishable(folder: Path, faults: Sequence[Drill] = ()) -> Published:
    """The half of a bundle that is published, stripped. Raises BadDocument."""
    result = read_result(folder / "result.json")
    document: dict[str, Any] = {
        "schema": published.SCHEMA,
        "measured_on": _day(folder, result.run_id),
        "machine": _fields(read(folder / "machine.json", Machine), Machine),
        "versions": _fields(read(folder / "versions.json", Versions), Versions),
        "postgres": _postgres(folder),
        "result": {**result.to_dict(), "settings": _settings(result.settings)},
        "drills": [_drill(drill) for drill in faults],
    }
    addresses = [
        *_addresses(result.settings),
        *(one for drill in faults for one in _addresses(drill.get("settings", {}))),
    ]
    return convert(stripped(document, stripper(addresses)), Published, folder / "result.json")


def of_test_profile(half: Published) -> bool:
    """Whether its Postgres was not durable, as that of tests: it gives no results."""
    return half.postgres is not None and half.postgres.get("profile") == "test"


def doubts(half: Published) -> Iterator[str]:
    """Why its figures are trusted less."""
    yield from half.result.doubts
    if half.versions.get("dirty"):
        yield "the revision was changed, so nobody else has it"


def read_drills(path: Path) -> Drills:
    """The drills of a folder, or of its file. Raises BadDocument."""
    file = path / drills.FILE if path.is_dir() else path
    return read(file, Drills, schema=drills.SCHEMA)


def figures(drill: Drill) -> Drill:
    """The same without its curve, which is for the page of the drills."""
    told = drill.copy()
    told.pop("curve", None)
    return told


def slug(text: str) -> str:
    """A name for a file: small letters, digits and single dashes; never empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-") or "unnamed"


def _place(half: Published, results: Path) -> Path:
    """The file of this run, if it was published before, else the first that is free."""
    machine = half.machine
    cores = "" if machine["cores"] is None else f"-{machine['cores']:g}-cores"
    name = f"{half.measured_on}-{slug(machine['cpu_model'] + cores)}"
    for number in range(1, _MOST + 1):
        path = results / slug(half.result.target["name"]) / f"{name}{f'-{number}' * (number > 1)}.json"
        if not path.exists() or _run_of(path) == half.result.run_id:
            return path
    raise SetupError(str(path), f"there are {_MOST} of that day", "remove those that nobody needs")


def _run_of(path: Path) -> str | None:
    try:
        return read(path, Published, schema=published.SCHEMA).result.run_id
    except BadDocument:
        return None


def _day(folder: Path, run_id: str) -> str:
    if found := re.match(r"(\d{4})(\d{2})(\d{2})-\d{6}-", run_id):
        return "-".join(found.groups())
    told = read_optional(folder / "loadgen.json", Loadgen) or {}
    begun = [phase["started_at"] for phase in told.get("phases", [])]
    if not begun:
        raise BadDocument(folder / "result.json", "$.run_id: does not begin with a day, and no phase tells it")
    return datetime.fromtimestamp(min(begun), UTC).date().isoformat()


def _postgres(folder: Path) -> dict[str, Any] | None:
    found = read_optional(folder / "postgres.json", Postgres)
    if found is None:
        return None
    told = _fields(found, Postgres)
    # The variables of whoever ran it.
    told.pop("environment", None)
    return told


def _settings(settings: dict[str, Any]) -> dict[str, Any]:
    """An address says whose database it was; that there was one is enough."""
    return {name: "given" if "://" in str(value) else value for name, value in settings.items()}


def _drill(drill: Drill) -> dict[str, Any]:
    told = dict(figures(drill))
    return {**told, "settings": _settings(drill["settings"])} if "settings" in drill else told


def _addresses(settings: dict[str, Any]) -> list[str]:
    """What is written nowhere, so that its host can be taken out of every text."""
    return [value for value in settings.values() if isinstance(value, str) and "://" in value]


def _fields(document: Any, kind: type) -> dict[str, Any]:
    """What the record names, and nothing that a bundle has besides."""
    return {name: document[name] for name in kind.__annotations__ if name in document}
