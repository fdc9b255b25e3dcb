"""Curves over time: a value without neighbours is a point, and what is not drawn is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.compare import page
from bench.report import report
from bench.report.charts.timelines import TIMELINES, left_out, line, timelines
from tests.unit.bench import bundles
from tests.unit.bench.test_compare_bundles import pairs, run
from tests.unit.bench.test_report import Scripts, text

KEYS = [key for *_, curves in TIMELINES for key, _, _ in curves]


def sample(second: int, **values: float | None) -> dict[str, Any]:
    return {"t": 1001.0 + second, "elapsed_s": 1.0 + second, "phase": "load", **values}


def write(folder: Path, samples: list[dict[str, Any]]) -> str:
    """The page of a run with these samples."""
    made = bundles.write(folder)
    lines = "".join(json.dumps(each) + "\n" for each in samples)
    (made / "samples.jsonl").write_text(lines)
    return report.render(made)


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ([1.0], [0]),
        ([1.0, 2.0], []),
        ([None, 1.0, None], [1]),
        ([1.0, None, 2.0, 3.0], [0]),
        ([None, 2.0, 3.0, None, 4.0], [4]),
        ([0.0, None], [0]),
        ([None], []),
        ([], []),
    ],
)
def test_a_value_without_a_neighbour_is_a_point(values: list[float | None], points: list[int]) -> None:
    drawn = line(values)
    assert drawn["y"] == values
    assert [place for place, size in enumerate(drawn.get("sizes", [])) if size] == points
    assert (drawn.get("mode") == "lines+markers") == bool(points)


def test_a_run_of_one_sample_has_points_and_says_so(tmp_path: Path) -> None:
    seen = write(tmp_path, [sample(0, **dict.fromkeys(KEYS, 1.0))])
    drawn = Scripts(seen).data()["charts"]
    assert len(drawn) == len(TIMELINES)
    assert {tuple(trace["sizes"]) for chart in drawn for trace in chart["traces"]} == {(9,)}
    assert "Each curve is one point" in text(seen)


def test_a_run_without_a_sample_says_why_nothing_is_drawn(tmp_path: Path) -> None:
    seen = text(write(tmp_path, []))
    assert "Nothing is drawn over time: the run ended within a second" in seen


def test_what_has_no_value_is_left_out_by_name(tmp_path: Path) -> None:
    known = dict.fromkeys([key for key in KEYS if not key.startswith(("action_p", "read_p"))], 1.0)
    samples = [sample(second, **known) for second in range(3)]
    seen = write(tmp_path, samples)
    assert (
        "for no second of this run has a value: Latency of actions, read p99 (in Write to visible, and reads)."
        in text(seen)
    )
    assert "plot-latency" not in seen


def test_no_chart_is_empty_whatever_the_samples_have() -> None:
    for absent in KEYS:
        samples = [sample(0, **{key: None if key == absent else 1.0 for key in KEYS})]
        for chart in timelines(samples, 1000.0):
            assert all(any(value is not None for value in trace["y"]) for trace in chart["traces"])
            assert chart["traces"]
        assert absent in str(TIMELINES)
        assert left_out(samples).startswith("Not drawn")
    assert left_out([sample(0, **dict.fromkeys(KEYS, 1.0)), sample(1, **dict.fromkeys(KEYS, 1.0))]) == ""


def test_a_comparison_of_trials_without_samples_says_so(tmp_path: Path) -> None:
    folders = pairs(tmp_path, [5.0])
    for folder in folders:
        (folder / "samples.jsonl").write_text("")
    _, _, document, seen = run(tmp_path, folders)
    assert "Not drawn, for no trial has a value: Backlog, Actions." in text(seen)
    assert 'id="time-' not in seen
    assert page.render(document) == seen
