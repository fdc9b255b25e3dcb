"""A result bundle read back from its folder, each document checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bundle.kinds import KINDS, Sample
from bench.ends.errors import SetupError
from metrics.reading import BadDocument, Lines, read_lines, read_optional
from metrics.records.result import Result, read_result


@dataclass(frozen=True)
class Read:
    """A bundle: its result, its other documents by name (empty where there is none), and its samples."""

    folder: Path
    result: Result
    documents: dict[str, Any]
    samples: Lines


def read_bundle(folder: Path) -> Read:
    """Read the whole bundle. Raises SetupError with the file, the place in it and what is wrong."""
    if not (folder / "result.json").exists():
        missing = "it has no result.json" if folder.is_dir() else "it is no folder" if folder.exists() else "not there"
        raise SetupError(str(folder), f"no usable result bundle: {missing}", "name a folder with a result.json")
    with refusing():
        result = read_result(folder / "result.json")
        documents = {name: read_optional(folder / f"{name}.json", kind) or {} for name, kind in KINDS.items()}
        return Read(folder, result, documents, read_lines(folder / "samples.jsonl", Sample))


@contextmanager
def refusing() -> Iterator[None]:
    """A document that can not be used refuses the command that reads it. Raises SetupError."""
    try:
        yield
    except BadDocument as error:
        raise SetupError(str(error.path), error.problem, error.remedy) from error
