"""A chart as paths: gaps stay gaps, a single value is a mark, phases are where they were."""

from __future__ import annotations

from typing import Any

import pytest

from bench.report.charts.drawing import draw
from bench.report.charts.table import MOST_ROWS, figures

ALONE: dict[str, Any] = {"charts": [], "phases": [], "moments": [], "range": None}


def chart(*traces: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A chart of these curves."""
    return {"id": "plot-x", "title": "Backlog", "about": "events", "unit": "events", "traces": list(traces), **more}


def trace(y: list[float | None], **more: Any) -> dict[str, Any]:
    """A curve over 0, 1, 2 …"""
    return {"name": "backlog", "x": list(range(len(y))), "y": y, "color": "c1", **more}


def lines(y: list[float | None], **more: Any) -> list[str]:
    """The paths of its line."""
    return [path["d"] for path in draw(chart(trace(y, **more)), ALONE).paths if path["kind"].startswith("line")]


def test_a_value_that_nobody_told_is_a_gap_and_never_0() -> None:
    assert lines([4, 4, None, 4, 4]) == ["M0 0L250 0", "M750 0L1000 0"]
    assert lines([4, 4, 0, 4, 4]) == ["M0 0L250 0L500 1000L750 0L1000 0"]


def test_a_step_keeps_its_value_until_the_next() -> None:
    assert lines([0, 10], shape="hv") == ["M0 1000L1000 1000L1000 0"]


def test_an_area_is_closed_at_its_foot() -> None:
    (fill, _) = draw(chart(trace([5, 10], fill="tozeroy")), ALONE).paths
    assert fill["d"] == "M0 500L1000 0L1000 1000L0 1000Z"


def test_marks_have_places_and_shapes() -> None:
    drawn = draw(chart(trace([5, None, 10], mode="lines+markers", symbols=["circle", "circle", "triangle-up"])), ALONE)
    assert [(mark["left"], mark["top"], mark["symbol"]) for mark in drawn.marks] == [
        (0.0, 50.0, "circle"),
        (100.0, 0.0, "triangle-up"),
    ]


def test_marks_alone_have_no_line() -> None:
    assert lines([1, 2, 3], mode="markers") == []
    assert len(lines([1, 2, 3], mode="lines+markers")) == 1


def test_an_interval_is_a_line_from_its_low_to_its_high_end() -> None:
    drawn = draw(chart(trace([5, 8], low=[0, None], high=[10, None])), ALONE)
    assert [path["d"] for path in drawn.paths if path["kind"] == "interval"] == ["M0 1000L0 0"]


def test_phases_and_moments_lie_at_their_times() -> None:
    shared = {
        "phases": [{"name": "load", "from": 0, "to": 10}, {"name": "hold", "from": 10, "to": 15}],
        "moments": [{"name": "kill-projector", "at": 5.0}],
        "range": [0, 20],
    }
    drawn = draw(chart(trace([1.0, 2.0], x=[0, 20]), timeline=True), {**ALONE, **shared})
    assert [(band["name"], band["left"], band["width"]) for band in drawn.bands] == [
        ("load", 0.0, 50.0),
        ("hold", 50.0, 25.0),
    ]
    assert [(each["name"], each["left"]) for each in drawn.moments] == [("kill-projector", 25.0)]
    assert not draw(chart(trace([1.0, 2.0])), {**ALONE, **shared}).bands


@pytest.mark.parametrize("y", [[], [None], [0.0], [7.0], [1e308, -1e308], [5e-324, 1e308]])
@pytest.mark.parametrize("more", [{}, {"ytype": "log"}, {"xtype": "log"}, {"yrange": [0, 100]}, {"timeline": True}])
def test_any_values_can_be_drawn(y: list[float | None], more: dict[str, Any]) -> None:
    drawn = draw(chart(trace(y), **more), ALONE)
    assert all("nan" not in path["d"] and "inf" not in path["d"] for path in drawn.paths)


def test_the_table_has_the_values_and_dashes_where_there_are_none() -> None:
    found = figures(chart(trace([1.5, None, 1234]), trace([2, 0, 3], name="lag"), timeline=True))
    assert found.head == ["time", "backlog, events", "lag, events"]
    assert found.rows == [["0 s", "1.5", "2"], ["1 s", "–", "0"], ["2 s", "1,234", "3"]]


def test_a_long_table_is_thinned_and_says_so() -> None:
    found = figures(chart(trace([1.0] * 600)))
    assert len(found.rows) <= MOST_ROWS
    assert found.about == "every 10th value"


def test_curves_over_different_places_are_told_by_their_ends() -> None:
    found = figures(chart(trace([1, 5, 3]), trace([None], name="empty"), trace([9], name="one")))
    assert found.rows == [
        ["backlog", "3", "1", "3", "5", "3"],
        ["empty", "0", "–", "–", "–", "–"],
        ["one", "1", "9", "9", "9", "9"],
    ]
