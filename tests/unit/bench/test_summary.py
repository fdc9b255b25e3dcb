"""The table at the end of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.trial.summary import show
from metrics.records.result import Correctness, Generator, Result, Verdict
from tests.unit.bench import bundles


def shown(result: Result) -> str:
    out = StringIO()
    show(Console(file=out, width=100, highlight=False), result, Path("results/run"))
    return out.getvalue()


def test_a_sound_run_shows_its_numbers_and_where_the_report_is() -> None:
    said = shown(bundles.result())
    for text in ("CONVERGED", "432 /s", "988 /s", "p50 12.5", "250 ms", "4,000 events/s", "results/run/report.html"):
        assert text in said
    assert "5,555 events folded again" in said


@pytest.mark.parametrize("verdict", ["timed_out", "diverged", "blocked", "invalid"])
def test_any_other_run_shows_its_reason_and_no_number(verdict: Verdict) -> None:
    said = shown(bundles.result(verdict=verdict, why="[red]the API[/red] died"))
    assert "[red]the API[/red] died" in said
    assert verdict.replace("_", " ").upper() in said
    assert "432" not in said


def test_a_fault_hides_the_numbers_whatever_the_verdict() -> None:
    said = shown(replace(bundles.result(), correctness=Correctness(lost=1)))
    assert "432" not in said


def test_a_saturated_generator_is_said() -> None:
    said = shown(replace(bundles.result(), generator=Generator(saturated=True)))
    assert "lower bound" in said


def test_what_a_request_cost_the_generator_is_said_where_it_is_known() -> None:
    assert "of CPU a request" not in shown(replace(bundles.result(), generator=Generator()))
    assert "48 µs" in shown(replace(bundles.result(), generator=Generator(cpu_us_per_request=48.2)))


def test_how_events_took_effect_is_said_where_it_is_not_the_default() -> None:
    result = bundles.result()
    usual = {**result.settings, "HANDLER": "set", "READ_MODELS": "todos"}
    assert "a function for each event" not in shown(replace(result, settings=usual))
    changed = shown(replace(result, settings={**usual, "HANDLER": "each", "READ_MODELS": "todos,activity"}))
    assert "a function for each event" in changed
    assert "todos,activity" in changed


def test_a_planned_crash_tells_the_time_of_the_takeover(tmp_path: Path) -> None:
    (tmp_path / "fault.json").write_text(json.dumps(bundles.FAULT))
    out = StringIO()
    show(Console(file=out, width=100, highlight=False), bundles.result(), tmp_path)
    assert "projector-1 was killed (SIGKILL) with 3 lease(s); its work was taken over after 4.2 s" in out.getvalue()
