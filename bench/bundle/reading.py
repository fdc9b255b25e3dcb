"""A result bundle read back from its folder, each document checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.ends.errors import SetupError
from metrics.reading import BadDocument, Lines, read_lines, read_optional
from metrics.records.fault import Injected
from metrics.records.loadgen import Loadgen
from metrics.records.result import Result, read_result
from metrics.records.samples import Sample
from metrics.records.sections.resources import Second
from metrics.records.sections.target import Description
from metrics.records.surroundings import Machine, Postgres, Versions
from metrics.records.verification import Verification

KINDS: Final[dict[str, Any]] = {
    "machine": Machine,
    "versions": Versions,
    "postgres": Postgres,
    "loadgen": Loadgen,
    "target": Description,
}


@dataclass(frozen=True)
class Read:
    """A bundle: its result, what it was measured on (empty where nothing tells it), its proof, its samples,
    and the seconds of `resources.jsonl`."""

    folder: Path
    result: Result
    documents: dict[str, Any]
    verification: Verification | None
    fault: Injected | None
    samples: Lines
    resources: Lines


def read_bundle(folder: Path) -> Read:
    """Read the whole bundle. Raises SetupError with the file, the place in it and what is wrong."""
    if not (folder / "result.json").exists():
        missing = "it has no result.json" if folder.is_dir() else "it is no folder" if folder.exists() else "not there"
        raise SetupError(str(folder), f"no usable result bundle: {missing}", "name a folder with a result.json")
    with refusing():
        result = read_result(folder / "result.json")
        documents = {name: read_optional(folder / f"{name}.json", kind) or {} for name, kind in KINDS.items()}
        verification = read_optional(folder / "verification.json", Verification)
        fault = read_optional(folder / "fault.json", Injected)
        samples = read_lines(folder / "samples.jsonl", Sample)
        resources = read_lines(folder / "resources.jsonl", Second)
        return Read(folder, result, documents, verification, fault, samples, resources)


@contextmanager
def refusing() -> Iterator[None]:
    """A document that can not be used refuses the command that reads it. Raises SetupError."""
    try:
        yield
    except BadDocument as error:
        raise SetupError(str(error.path), error.problem, error.remedy) from error
