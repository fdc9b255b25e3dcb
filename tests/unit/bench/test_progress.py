"""What a person sees of a run while it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bench.report.progress import Lines, Screen, figure, progress, sparkline


def sample(second: int, phase: str = "load", **values: Any) -> dict[str, Any]:
    return {"phase": phase, "elapsed_s": float(second), "actions_per_s": 100.0 + second, "backlog": second, **values}


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], ""), ([0, 0], "▁▁"), ([0, 4, 8], "▁▄█"), ([None, 1], " █"), ([None], " ")],
)
def test_bars_are_scaled_to_the_largest(values: Iterable[float | None], expected: str) -> None:
    assert sparkline(values) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (figure(None, "ms", 1), "–"),
        (figure(1234.56, "ms", 1), "1,234.6 ms"),
        (figure(0, "/s", 0), "0/s"),
        (figure(12, "events", 0), "12 events"),
    ],
)
def test_a_figure_has_its_unit(told: str, expected: str) -> None:
    assert told == expected


def test_without_a_terminal_there_is_a_line_every_five_seconds_and_at_each_phase() -> None:
    out = StringIO()
    with progress(Console(file=out, width=80), "title") as shown:
        assert isinstance(shown, Lines)
        shown.step("starting [red]Postgres[/red]")
        shown.samples([sample(second) for second in range(1, 12)])
        shown.samples([sample(12, "convergence")])
        shown.samples([])
    first, *lines = out.getvalue().splitlines()
    assert first == "· starting [red]Postgres[/red]"
    assert [line.split()[0] for line in lines] == ["1", "6", "11", "12"]
    assert "convergence  actions 112/s" in lines[-1]


def test_a_terminal_shows_the_step_then_the_phase_and_what_moves() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=80)
    with progress(console, "throughput, serial") as shown:
        assert isinstance(shown, Screen)
        shown.step("starting Postgres")
        console.print(shown)
        assert "starting Postgres" in out.getvalue()
        shown.samples([sample(1), sample(2, backlog=9)])
        out.truncate(0)
        console.print(shown)
    text = out.getvalue()
    for word in ("throughput, serial", "load", "actions", "102/s", "9 events", "projection lag"):
        assert word in text
    assert "starting Postgres" not in text
    assert max(len(line) for line in Console(file=StringIO(), width=80).render_lines(shown)) <= 80
