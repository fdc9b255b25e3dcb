"""`comparison.json` read back: what its parts must agree in to be shown."""

from __future__ import annotations

from pathlib import Path

from bench.bundle.reading import refusing
from metrics.reading import BadDocument, convert, read
from metrics.records.comparison import SCHEMA, Comparison, Metric, Trial
from metrics.records.surroundings import Machine, Postgres, Versions


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
        told = not answered or contrast["bound"] != "exact" or (ends and contrast["covered"] is not None)
        _check(told, path, where, "has an answer and no interval")
        hinted = contrast["hint"] and (
            answered or contrast["ratio"] is None or not (ends or contrast["bound"] != "exact")
        )
        _check(not hinted, path, f"{where}.hint", "is beside an answer, or has no interval")


def _check(agrees: bool, path: Path, place: str, problem: str) -> None:
    if not agrees:
        raise BadDocument(path, f"{place}: {problem}")
