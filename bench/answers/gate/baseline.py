"""A baseline file: trials of one sitting, written to be committed; refused by name where a later one is not alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench.bundle.reading import refusing
from bench.compare.arms.variables import Here
from bench.compare.likeness import NO_DIFFERENCE
from bench.compare.loaded import Loaded, load
from bench.compare.metrics import METRICS
from bench.ends.errors import SetupError
from bench.preflight import description
from bench.preflight.settings import Settings
from metrics.reading import read
from metrics.records.answers.gate import SCHEMA, Baseline
from metrics.records.result import METHOD
from settings.catalogue.load import TARGET

OTHERWISE: Final = "measure both revisions in one sitting: --against REVISION"
OPTION: Final = "--baseline"


def read_baseline(path: Path) -> Baseline:
    """Read it. Raises SetupError for one that can not be used."""
    with refusing():
        return read(path, Baseline, schema=SCHEMA)


def of_trials(trials: Sequence[Loaded], settings: Settings) -> Baseline:
    """The baseline that these trials make."""
    first = trials[0]
    return {
        "schema": SCHEMA,
        "method": first.result.method,
        "scenario": first.result.scenario,
        "mode": first.result.mode,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": first.versions.get("revision"),
        "machine": {name: first.machine.get(name) for name in description.LIKENESS},
        "settings": acting(settings),
        "postgres": server(first),
        "run_ids": [trial.result.run_id for trial in trials],
        "metrics": figures(trials),
    }


def figures(trials: Sequence[Loaded]) -> dict[str, list[float]]:
    """What the trials have, by metric; bounds that are not figures are left out."""
    told = {metric.name: [trial.values.get(metric.name) for trial in trials] for metric in METRICS}
    found = {name: [one.value for one in each if one and one.bound == "exact"] for name, each in told.items()}
    return {name: values for name, values in found.items() if values}


def acting(settings: Settings) -> dict[str, Any]:
    """The settings that may make two sittings differ."""
    return {name: value for name, value in settings.recorded().items() if name not in NO_DIFFERENCE}


def server(trial: Loaded) -> dict[str, Any]:
    """Postgres as a sitting has it."""
    return {"version": trial.postgres.get("version"), **trial.postgres.get("settings", {})}


def refuse_unlike(baseline: Baseline, settings: Settings) -> None:
    """Raise SetupError where machine, method, scenario or settings are others: absolute figures hold on like ones."""
    if baseline["method"] != METHOD:
        raise SetupError(OPTION, f"is of method {baseline['method']}, and this one is {METHOD}", "write it again")
    if names := description.unlike(baseline["machine"], dict(description.machine())):
        raise SetupError(OPTION, f"was measured on another machine ({', '.join(names)} differ)", OTHERWISE)
    now = {"scenario": settings.scenario.name, "mode": settings.mode, **acting(settings)}
    # One that was written before there were targets is of ours.
    then = {TARGET.name: TARGET.default, **baseline["settings"]}
    _refuse({"scenario": baseline["scenario"], "mode": baseline["mode"], **then}, now, "write it again")


@dataclass(frozen=True)
class Alike:
    """An arm whose first trial shows which Postgres it has, before more are run."""

    arm: Here
    baseline: Baseline

    @property
    def name(self) -> str:
        """As it is."""
        return self.arm.name

    @property
    def settings(self) -> Settings:
        """As they are."""
        return self.arm.settings

    def run(self, results: Path, number: int, title: str, console: Console) -> Path:
        """One trial. Raises SetupError where Postgres, or a setting of its, is another one."""
        folder = self.arm.run(results, number, title, console)
        if number == 1:
            _refuse(self.baseline["postgres"], server(load(folder)), f"write it again, or {OTHERWISE}")
        return folder


def _refuse(then: Mapping[str, Any], now: Mapping[str, Any], remedy: str) -> None:
    unlike = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if unlike:
        told = "; ".join(f"{name}: {then.get(name)} then, {now.get(name)} now" for name in unlike)
        raise SetupError(OPTION, f"was measured otherwise ({told})", remedy)
