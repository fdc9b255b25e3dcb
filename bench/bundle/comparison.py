"""`comparison.json` read back: its declared type, and what its parts must agree in to be shown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta

from bench.bundle.kinds import Machine, Postgres, Versions
from bench.bundle.reading import refusing
from metrics.reading import BadDocument, convert, read
from metrics.records.result import Verdict

SCHEMA: Final = 1
Ratio = Annotated[float, Meta(gt=0)]
Figure = Annotated[float, Meta(ge=0)]
Bound = Literal["exact", "at_least", "at_most"]


class Value(TypedDict):
    """What one trial has for one metric."""

    value: Figure
    bound: Bound


class Trial(TypedDict):
    """One trial."""

    arm: str
    run_id: str
    trial: int
    verdict: Verdict
    why: str
    faults: int
    values: dict[str, Value]
    series: dict[str, list[float | None]]


class Spread(TypedDict):
    """One arm's trials of one metric."""

    arm: str
    trials: int
    median: Figure | None
    bound: Bound
    min: Figure | None
    max: Figure | None


class Contrast(TypedDict):
    """One arm against the first."""

    arm: str
    base: str
    answer: Literal["higher", "lower", "no verdict"]
    ratio: Ratio | None
    bound: Bound
    low: Ratio | None
    high: Ratio | None
    noise_floor: Ratio | None
    because: str


class Metric(TypedDict):
    """One metric of all arms."""

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    lead: bool
    arms: list[Spread]
    contrasts: list[Contrast]


class Comparison(TypedDict):
    """`comparison.json`."""

    schema: int
    comparison_id: str
    scenario: str
    sound: bool
    why: str
    seed: int
    arms: Annotated[list[str], Meta(min_length=1)]
    differs: dict[str, list[str]]
    doubts: list[str]
    notes: list[str]
    settings: dict[str, Any]
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
    trials: list[Trial]
    metrics: list[Metric]


def read_comparison(path: Path) -> Comparison:
    """Read the document. Raises SetupError with the file, the place in it and what is wrong."""
    with refusing():
        document = read(path, Comparison, schema=SCHEMA)
        for name, kind in (("machine", Machine), ("postgres", Postgres), ("versions", Versions)):
            if part := document[name]:  # type: ignore[literal-required]
                convert(part, kind, path, f"$.{name}")
        for number, trial in enumerate(document["trials"]):
            _check_trial(trial, document["arms"], path, f"$.trials[{number}]")
        for number, metric in enumerate(document["metrics"]):
            _check_metric(metric, document["arms"], path, f"$.metrics[{number}]")
        return document


def _check_trial(trial: Trial, arms: list[str], path: Path, place: str) -> None:
    _check(trial["arm"] in arms, path, f"{place}.arm", "is no arm of this comparison")
    series = trial["series"]
    missing = [name for name in ("t", "backlog", "actions_per_s") if name not in series]
    _check(not series or not missing, path, f"{place}.series", f"has no {', '.join(missing)}")


def _check_metric(metric: Metric, arms: list[str], path: Path, place: str) -> None:
    _check([each["arm"] for each in metric["arms"]] == arms, path, f"{place}.arms", "are not those of the comparison")
    known = [each["arm"] for each in metric["contrasts"]]
    _check(known == arms[1:], path, f"{place}.contrasts", "are not those of the other arms with the first")
    for number, spread in enumerate(metric["arms"]):
        numbers = [spread["median"] is None, spread["min"] is None, spread["max"] is None]
        _check(len(set(numbers)) == 1, path, f"{place}.arms[{number}]", "has some of median, min and max, not all")
    for number, contrast in enumerate(metric["contrasts"]):
        where = f"{place}.contrasts[{number}]"
        _check(contrast["base"] == arms[0], path, f"{where}.base", "is not the first arm")
        answered = contrast["answer"] != "no verdict"
        _check(not answered or contrast["ratio"] is not None, path, f"{where}.ratio", "is null beside an answer")
        ends = None not in (contrast["low"], contrast["high"])
        told = not answered or contrast["bound"] != "exact" or ends
        _check(told, path, where, "has an answer and no interval")


def _check(agrees: bool, path: Path, place: str, problem: str) -> None:
    if not agrees:
        raise BadDocument(path, f"{place}: {problem}")
