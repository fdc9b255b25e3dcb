"""A result bundle as a comparison reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.compare.metrics import values
from bench.compare.statistics import Value
from bench.errors import SetupError
from metrics.results import BadRecord, Result, read_result

SERIES: Final = ("backlog", "actions_per_s")


@dataclass(frozen=True)
class Loaded:
    """One trial: its result and what it was measured on."""

    folder: Path
    result: Result
    machine: Mapping[str, Any]
    postgres: Mapping[str, Any]
    versions: Mapping[str, Any]
    values: Mapping[str, Value]
    series: Mapping[str, list[float | None]]


def load(folder: Path) -> Loaded:
    """Read a bundle. Raises SetupError where there is none."""
    try:
        result = read_result(folder / "result.json")
        found = {name: _document(folder / f"{name}.json") for name in ("machine", "postgres", "versions")}
        measured = values(result, _document(folder / "verification.json") if result.sound else {})
        return Loaded(folder, result, **found, values=measured, series=_series(folder / "samples.jsonl"))
    except (OSError, BadRecord, KeyError, TypeError, ValueError) as error:
        raise SetupError(
            str(folder), f"no usable result bundle ({error})", "name a folder with a result.json"
        ) from error


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return document


def _series(path: Path) -> Mapping[str, list[float | None]]:
    if not path.exists():
        return {}
    samples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    begun = next((s["elapsed_s"] for s in samples if s["phase"] == "load"), 0.0)
    columns: dict[str, list[float | None]] = {"t": [round(s["elapsed_s"] - begun, 2) for s in samples]}
    return columns | {name: [s.get(name) for s in samples] for name in SERIES}


def measured(loaded: list[Loaded], metric: str) -> list[Value]:
    """The values of one metric, of those trials that have one."""
    return [trial.values[metric] for trial in loaded if metric in trial.values]
