"""What settles, what compounds, and what a soak leaves: by series that were made up, and by a run that was."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from bench.answers.soak import command, document, page
from bench.answers.soak.curves import curves
from bench.answers.soak.judge import FEWEST, Bound, interval, judge, mann_kendall, theil_sen
from bench.bundle.reading import Read, read_bundle
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from metrics.reading import read
from metrics.records.answers.soak import FILE, SCHEMA, Series, Soak
from metrics.records.sections.resources import Second, Table
from settings import SettingError
from tests.unit.bench import bundles
from tests.unit.report.bundle import second

SECONDS = 1200
BOUND = Bound(0.05, 4.0)
NOISE = Random(12)
LEAST = 100.0


def series(value: Callable[[float], float], seconds: int = SECONDS, every: int = 1) -> list[tuple[float, float]]:
    return [(float(t), value(t)) for t in range(0, seconds, every)]


def around(level: float, share: float) -> float:
    return level * (1 + NOISE.gauss(0, share))


def leaking(noise: Callable[[float], float]) -> Callable[[float], float]:
    """The same, and it grows."""
    return lambda t: noise(t) + LEAST * t / SECONDS


def remembering(level: float, share: float) -> Callable[[float], float]:
    """A level with noise that keeps nine tenths of itself from second to second."""
    state = 0.0

    def value(_: float) -> float:
        nonlocal state
        state = 0.9 * state + NOISE.gauss(0, share * level)
        return level + state

    return value


SETTLING: dict[str, Callable[[float], float]] = {
    "constant": lambda _: LEAST,
    "nothing": lambda _: 0.0,
    "fills up": lambda t: LEAST * (2 - math.exp(-t / 120)),
    "fills up late": lambda t: LEAST * (1.5 if t > 900 else 1),
    "noise": lambda _: around(LEAST, 0.1),
    "noise that remembers": remembering(LEAST, 0.02),
    "less and less": lambda t: LEAST * (2 - t / SECONDS),
    "saw": lambda t: LEAST * (1 + t % 60 / 30),
    "long saw": lambda t: LEAST * (1 + t % 300 / 300),
    "a spike": lambda t: LEAST * (30 if 1100 < t < 1110 else 1),
    "less than is allowed": lambda t: LEAST * (1 + 0.04 * t / SECONDS),
}
COMPOUNDING: dict[str, Callable[[float], float]] = {
    "a leak": lambda t: LEAST * (1 + 0.3 * t / SECONDS),
    "a leak in noise": lambda t: around(LEAST * (1 + t / SECONDS), 0.1),
    "a leak in noise that remembers": leaking(remembering(LEAST, 0.02)),
    "from nothing": lambda t: t,
    "faster and faster": lambda t: LEAST * math.exp(2 * t / SECONDS),
    "in steps": lambda t: LEAST * (1 + (t // 100) / 10),
    "a saw that climbs": lambda t: LEAST * (1 + t % 60 / 60 + 2 * t / SECONDS),
    "after a rest": lambda t: LEAST * (1 + max(0.0, t - SECONDS / 2) / SECONDS),
}


@pytest.fixture(autouse=True)
def the_same_noise() -> None:
    """For each test, whatever ran before it."""
    NOISE.seed(12)


@pytest.mark.parametrize("name", SETTLING)
def test_what_settles(name: str) -> None:
    assert judge(series(SETTLING[name]), BOUND).verdict == "settles"


@pytest.mark.parametrize("name", COMPOUNDING)
def test_what_compounds(name: str) -> None:
    found = judge(series(COMPOUNDING[name]), BOUND)
    assert found.verdict == "compounds"
    assert found.growth is not None
    assert found.growth > 4


def test_what_is_worse_the_smaller_it_is() -> None:
    share = Bound(0.0, 0.05, falls=True)
    assert judge(series(lambda t: 0.9 - 0.4 * t / SECONDS), share).verdict == "compounds"
    assert judge(series(lambda t: 0.5 + 0.4 * t / SECONDS), share).verdict == "settles"
    assert judge(series(lambda t: 0.9 - 0.05 * t / SECONDS), share).verdict == "settles"


def test_what_is_small_may_double() -> None:
    assert judge(series(lambda t: 1 + 2 * t / SECONDS), BOUND).verdict == "settles"


def test_too_few_values_say_nothing() -> None:
    leak = COMPOUNDING["from nothing"]
    assert judge([], BOUND).verdict == "too short"
    assert judge(series(leak, 2 * FEWEST - 2), BOUND).verdict == "too short"
    assert judge(series(leak, 10 * FEWEST), BOUND).verdict == "compounds"


def test_the_figures_are_of_the_last_half() -> None:
    found = judge(series(lambda t: 1000.0 if t < 600 else t), Bound(0.05, 4.0))
    assert found.level == pytest.approx(900, abs=20)
    assert found.growth == pytest.approx(575, abs=10)
    assert found.per_hour == pytest.approx(3600)


def test_mann_kendall_by_its_formula() -> None:
    # Of 0 1 2 3: all six pairs rise; z = 5 / sqrt(26 / 3).
    assert mann_kendall([0, 1, 2, 3]) == pytest.approx(0.5 * math.erfc(5 / math.sqrt(26 / 3) / math.sqrt(2)))
    assert mann_kendall([3, 2, 1, 0]) > 0.9
    assert mann_kendall([1, 1, 1, 1]) == 1.0
    # With a tie of two the variance is (4 · 3 · 13 - 2 · 1 · 9) / 18.
    assert mann_kendall([0, 1, 1, 2]) == pytest.approx(0.5 * math.erfc(4 / math.sqrt(138 / 18) / math.sqrt(2)))


def test_theil_sen_is_not_moved_by_a_fifth_of_the_values() -> None:
    points = [(float(x), 2.0 * x) for x in range(10)]
    points[3] = (3.0, 1e6)
    points[7] = (7.0, -1e6)
    assert theil_sen(points) == pytest.approx(2.0)


def test_the_interval_of_a_slope_by_its_formula() -> None:
    # 8 values without ties have 28 slopes, of which 2.326 · sqrt(8 · 7 · 21 / 18) lie within: the fifth from each end.
    values = [(float(x), y) for x, y in enumerate([0.0, 2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0])]
    slopes = sorted((y2 - y1) / (x2 - x1) for x1, y1 in values for x2, y2 in values if x1 < x2)
    assert interval(values) == (slopes[4], slopes[-5])
    assert interval([(0.0, 1.0)]) == (0.0, 0.0)
    assert interval([(float(x), 3.0) for x in range(9)]) == (0.0, 0.0)


@pytest.mark.parametrize("name", COMPOUNDING)
def test_what_compounds_has_its_whole_interval_above_zero(name: str) -> None:
    found = judge(series(COMPOUNDING[name]), BOUND)
    assert found.low is not None
    assert found.high is not None
    assert found.growth is not None
    assert 0 < found.low <= found.growth <= found.high


# A run that was made up -------------------------------------------------------------------------------------------


def a_second(t: int, *, leak: float = 0.0, bloat: float = 0.0, noise: float = 0.0) -> Second:
    """A line of `resources.jsonl`, `t` seconds after the start of the load, 100 events a second."""
    events = 100 * (t + 1)
    tables = {
        "events": table(inserted=events, table_bytes=200 * events, index_bytes=90 * events),
        "streams": table(inserted=events // 3, updated=2 * events, hot_updated=events, table_bytes=60 * events),
        "cursors": table(inserted=1, updated=t, table_bytes=8192 + round(bloat * 1000 * t)),
        "kept_read_models": table(table_bytes=0),
    }
    memory = {"api": round(around(6e7, noise) + leak * 1e5 * t), "postgres": 30_000_000, "generator": 10_000 * events}
    looked = t % 5 == 0
    plain = second(0)
    return replace(
        plain, t=1000.0 + t, memory_bytes=memory if looked else {}, tables=tables if looked else {}, events=100
    )


def table(**changed: int) -> Table:
    return replace(Table(0, 0, 0, 100, 10, 8192, 16384), **changed)


def a_run(root: Path, seconds: int = 600, **changed: Any) -> Read:
    folder = bundles.write(root, changed={"run_id": "run"})
    phases = [{"name": "load", "started_at": 999.0, "ended_at": 1000.0 + seconds}]
    (folder / "loadgen.json").write_text(json.dumps({"phases": phases}))
    lines = [json.dumps(a_second(t, **changed).to_dict()) for t in range(seconds)]
    (folder / "resources.jsonl").write_text("\n".join(lines) + "\n")
    samples = [
        {"t": 1000.0 + t, "elapsed_s": 1.0 * t, "phase": "load", "visibility_p99_ms": 20.0 + t % 7, "backlog": 0}
        for t in range(seconds)
    ]
    (folder / "samples.jsonl").write_text("\n".join(map(json.dumps, samples)) + "\n")
    return read_bundle(folder)


def rendered(root: Path) -> str:
    """The page of one in which something compounds."""
    return page.render(document.build("soak-1", a_run(root, leak=1.0), 600.0))


def test_what_must_grow_is_told_by_event_and_what_is_never_written_is_left_out(tmp_path: Path) -> None:
    found = {(curve.group, curve.name): curve for curve in curves(a_run(tmp_path))}
    assert {value for _, value in found["table by event", "events"].points} == {200.0}
    assert {value for _, value in found["indexes by event", "events"].points} == {90.0}
    assert {value for _, value in found["HOT updates, share", "streams"].points} == {0.5}
    assert found["table", "cursors"].points[0] == (1.0, 8.0)
    assert found["WAL by event", "WAL"].points[3][1] == 1800.0
    assert not any(name in ("generator", "kept_read_models") for _, name in found)
    assert ("write to visible", "visible p99") in found
    assert ("backlog", "backlog") not in found


def soaked(root: Path, ran: Read, monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[int, Soak, str]:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    arguments = argparse.Namespace(minutes="10", mode=None, scenario="throughput", results=root)
    asked: list[Settings] = []

    def measure(settings: Settings, _: str) -> Read:
        asked.append(settings)
        return ran

    console = Console(file=StringIO(), width=200)
    code = command.soak(arguments, console, measure)
    assert [(one.duration_s, one.rate, one.hold_s) for one in asked] == [(600.0, 300.0, 0.0)]
    (folder,) = root.glob("*-soak-*")
    assert "Over time" in command.render(folder)
    assert isinstance(console.file, StringIO)
    return code, read(folder / FILE, Soak, schema=SCHEMA), console.file.getvalue()


def verdicts(found: Soak) -> dict[str, Series]:
    return {f"{each['group']}: {each['name']}": each for each in found["series"]}


def test_a_run_in_which_all_settles_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, found, said = soaked(tmp_path, a_run(tmp_path), monkeypatch)
    assert (code, found["sound"], found["why"]) == (0, True, "")
    assert {each["verdict"] for each in found["series"]} == {"settles"}
    assert f"{len(found['series'])} of {len(found['series'])} series settle" in said


def test_memory_that_leaks_and_a_table_that_bloats_fail_and_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, found, said = soaked(tmp_path, a_run(tmp_path, leak=1.0, bloat=5.0), monkeypatch)
    assert (code, found["sound"]) == (1, False)
    compounding = [name for name, each in verdicts(found).items() if each["verdict"] == "compounds"]
    assert compounding == ["memory: api", "table: cursors"]
    assert "2 series compound (memory: api, table: cursors)" in found["why"]
    assert found["why"] in said


def test_a_series_whose_noise_hides_more_than_is_allowed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, found, said = soaked(tmp_path, a_run(tmp_path, noise=0.5), monkeypatch)
    api = verdicts(found)["memory: api"]
    assert (code, api["verdict"]) == (0, "settles")
    assert api["low"] is not None
    assert api["high"] is not None
    assert api["allowed"] is not None
    assert api["low"] < 0 < api["allowed"] < api["high"]
    (note,) = [each for each in found["notes"] if "longer soak" in each]
    assert "memory: api" in note
    assert " … " in said


def test_a_run_that_is_not_proven_is_not_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = a_run(tmp_path)
    broken = replace(ran, result=replace(ran.result, verdict="diverged", why="one event is lost"))
    code, found, _ = soaked(tmp_path, broken, monkeypatch)
    assert (code, found["why"]) == (1, "diverged: one event is lost")


def test_a_run_without_samples_is_not_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, found, _ = soaked(tmp_path, a_run(tmp_path, seconds=10), monkeypatch)
    assert (code, found["why"]) == (1, "no series is long enough to be judged")


@pytest.mark.parametrize(
    ("minutes", "variables", "named"),
    [
        ("1", {}, "--minutes"),
        ("many", {}, "--minutes"),
        ("10", {"DURATION": "30s"}, "DURATION"),
        ("10", {"SAMPLE_RESOURCES": "false"}, "SAMPLE_RESOURCES"),
    ],
)
def test_what_can_not_be_judged_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: str, variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    arguments = argparse.Namespace(minutes=minutes, mode=None, scenario="throughput", results=tmp_path)
    with pytest.raises((SetupError, SettingError), match=named):
        command.soak(arguments, Console(file=StringIO()), lambda *_: pytest.fail("it ran"))
