"""A result bundle as a comparison reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.bundle.reading import read_bundle
from bench.compare.metrics import values
from bench.compare.statistics.pairs import Value
from bench.ends.errors import SetupError
from metrics.records.result import Result
from metrics.records.verification import Verification

SERIES: Final = ("backlog", "actions_per_s")


@dataclass(frozen=True)
class Loaded:
    """One trial: its result and what it was measured on; `cut` as in `metrics.reading.Lines`."""

    folder: Path
    result: Result
    machine: Mapping[str, Any]
    postgres: Mapping[str, Any]
    versions: Mapping[str, Any]
    values: Mapping[str, Value]
    series: Mapping[str, list[float | None]]
    cut: str = ""


def load(folder: Path) -> Loaded:
    """Read a bundle. Raises SetupError where there is none that can be used."""
    found = read_bundle(folder)
    result, verification = found.result, found.verification
    if result.sound and verification is None:
        remedy = "put it back, or choose another bundle"
        raise SetupError(str(folder / "verification.json"), "is not there, so nothing proves the result", remedy)
    documents = {name: found.documents[name] for name in ("machine", "postgres", "versions")}
    measured = values(result, verification or Verification())
    for name, value in measured.items():
        if value.value < 0:
            raise SetupError(str(folder), f"its {name} is {value.value:g}, which is no measurement", "measure again")
    series = _series(found.samples.records)
    return Loaded(folder, result, **documents, values=measured, series=series, cut=found.samples.cut)


def _series(samples: list[dict[str, Any]]) -> Mapping[str, list[float | None]]:
    if not samples:
        return {}
    begun = next((s["elapsed_s"] for s in samples if s["phase"] == "load"), 0.0)
    columns: dict[str, list[float | None]] = {"t": [round(s["elapsed_s"] - begun, 2) for s in samples]}
    return columns | {name: [s.get(name) for s in samples] for name in SERIES}
