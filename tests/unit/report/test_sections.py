"""Sections of the report: what is told has its figures, what is not has its reason and never a 0."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.bundle.histograms import read_histograms
from bench.report.charts import usage
from bench.report.report import render
from bench.report.sections import caveats, conditions, latency, staleness, verdict, waterfall, why
from bench.report.sections.answers import answers
from metrics.records.result import Correctness, Generator, Result, Verdict
from metrics.records.sections.convergence import Convergence
from metrics.records.sections.resources import Resources, Shard, Wait
from metrics.records.sections.staleness import Ranks, Stages, Staleness, Waterfall
from metrics.records.verification import Verification
from tests.unit.bench import bundles
from tests.unit.bench.test_report import Scripts, text
from tests.unit.report.bundle import DOUBT, FIGURES, RESOURCES, STALENESS, WATERFALL, full, second


def seen(page: str) -> list[str]:
    """Which of the figures a reader sees."""
    said = text(page)
    return [figure for figure in FIGURES if re.search(rf"(?<![\d,.]){re.escape(figure)}(?!\d|[,.]\d)", said)]


def test_a_sound_run_tells_every_section(tmp_path: Path) -> None:
    page = render(full(tmp_path))
    assert seen(page) == list(FIGURES)
    said = text(page)
    for sentence in (
        "Converged, with a doubt",
        f"Doubt: {DOUBT}",
        "Projectors stood still for 5.0 s while users went on; 1,777 events were left and worked off in 200 ms.",
        "A page that waits 8.4 ms sees its own write in 99 of 100.",
        "Bounded by: api, one process that uses one core, was busy for 93 % of it.",
        "It can not see what each single read showed while the load ran",
    ):
        assert sentence in said, sentence
    assert "Not told:" not in said


@pytest.mark.parametrize("state", ["timed_out", "diverged", "blocked", "invalid"])
def test_a_run_that_is_not_sound_shows_no_figure_of_any_section(state: Verdict, tmp_path: Path) -> None:
    page = render(full(tmp_path, verdict=state, why="todo-7 was lost"))
    assert seen(page) == []
    assert 'id="answers"' not in page
    charts = {chart["id"] for chart in Scripts(page).data()["charts"]}
    assert not charts & {"plot-percentiles", staleness.ID}


def test_a_fault_voids_every_figure_of_a_run_that_converged(tmp_path: Path) -> None:
    page = render(full(tmp_path, changed={"correctness": Correctness(events_checked=5555, duplicated=2)}))
    assert seen(page) == []
    assert "2 duplicated" in text(page)


def test_what_is_not_told_says_why_and_shows_no_0(tmp_path: Path) -> None:
    absent = {
        "staleness": Staleness(why="nothing was followed"),
        "waterfall_ms": Waterfall(why="the projectors told no moments"),
        "resources": Resources(reason="SAMPLE_RESOURCES is off"),
        "neighbours": None,
        "convergence": Convergence(0.003, None, 0, 0.0, "a target in one process can not be held"),
    }
    said = text(render(full(tmp_path, changed=absent)))
    for reason in (
        "Not told: nothing was followed.",
        "Not told: the projectors told no moments.",
        "Not told: SAMPLE_RESOURCES is off.",
        "How fast does it catch up? not told A target in one process can not be held.",
        "What does an action cost? not told SAMPLE_RESOURCES is off.",
        "Other processes: not told, nothing was sampled beside this run.",
    ):
        assert reason in said, reason
    assert "0 events/s" not in said
    assert "0 of 100" not in said


def test_a_figure_that_is_not_told_is_no_0() -> None:
    told = dict(why.why(_result(resources=RESOURCES))["counts"])
    assert told["checkpoints"] == "0"
    assert told["dead tuples, growth"] == told["commits by event"] == told["blocks found in the cache"] == "not told"
    assert told["WAL by event"] == "1,847 bytes"
    rows = waterfall.waterfall(replace(WATERFALL, noticed_to_claimed=None))["rows"]
    assert [row["values"][0] for row in rows] == ["1.13", "–", "6.19", "3.23"]
    assert [row["told"] for row in rows] == [True, False, True, True]


def test_what_is_of_one_shard_stands_beside_what_is_of_all(tmp_path: Path) -> None:
    full_one = Shard(90, [Wait("IO:WalSync", 0.81)], 1900.0, 1.5, 4.0, 0.99, 12, 1)
    gone = Stages(writes=138, why="not told: no batch was found for any of 138 writes")
    own = Stages(Ranks(1.31), Ranks(2.33), Ranks(6.37), Ranks(3.41), Ranks(13.43), samples=135, writes=138, why="")
    several = {
        "resources": replace(RESOURCES, shards=[full_one, Shard(10)]),
        "waterfall_ms": replace(WATERFALL, shards=[own, gone]),
    }
    said = text(render(full(tmp_path, changed=several)))
    for told in (
        "share of the events 90 % 10 %",
        "busy backends, most at IO:WalSync 81% not told",
        "WAL by event 1,900 bytes not told",
        "shard 0 1.31 2.33 6.37 3.41 13.4 135 of 138",
        "shard 1 not told: no batch was found for any of 138 writes – – – – – 0 of 138",
    ):
        assert told in said, told
    assert (why.why(_result(resources=RESOURCES))["shards"], waterfall.waterfall(WATERFALL)["shards"]) == (None, [])


def test_each_of_several_shards_has_a_curve_of_its_wal() -> None:
    one = {name: None if name == "wal_bytes" else value for name, value in second(0).to_dict().items()}
    two = {**one, "wal_bytes": 30_000, "shards": [{**one, "wal_bytes": 10_000}, {**one, "wal_bytes": 20_000}]}
    wal = next(chart for chart in usage.usage([two], 1000.0, 1010.0) if chart["id"] == "use-wal")
    assert {trace["name"]: trace["y"] for trace in wal["traces"]} == {
        **{"all shards": [30.0], "shard 0": [10.0]},
        "shard 1": [20.0],
    }


def test_the_bars_of_a_waterfall_begin_where_the_last_one_ended() -> None:
    rows = waterfall.waterfall(WATERFALL)["rows"]
    for before, after in itertools.pairwise(rows):
        assert after["left"] == pytest.approx(before["left"] + before["width"], abs=0.02)
    assert rows[-1]["left"] + rows[-1]["width"] == pytest.approx(100, abs=0.02)


def test_the_curve_of_staleness_ends_shortly_after_99_of_100() -> None:
    chart = staleness.curve(STALENESS)
    assert chart is not None
    assert [trace["name"] for trace in chart["traces"]] == ["writes seen", "at least", "at most"]
    assert chart["traces"][0]["x"] == [0.0, 4.0, 8.0]
    assert chart["traces"][0]["y"] == pytest.approx([61, 87, 99])
    assert staleness.curve(Staleness(why="nothing was followed")) is None


def test_no_percentile_is_told_beyond_what_the_samples_carry(tmp_path: Path) -> None:
    histograms = read_histograms(full(tmp_path))
    (row, *_) = latency.rows(histograms)
    assert row["samples"] == "200"
    assert [value["told"] for value in row["values"]] == ["100", "180", "198", "–", "–"]
    assert [value["few"] for value in row["values"]] == [False, False, True, False, False]
    chart = latency.curves(histograms)
    assert chart is not None
    for trace in chart["traces"]:
        known = [value for value in trace["y"] if value is not None]
        assert 0 < len(known) < len(trace["y"])
        assert known == sorted(known)
    assert latency.curves({}) is None
    assert latency.left_out({}).endswith("actions, reads, write to visible, insert to projected.")


@pytest.mark.parametrize(("checked", "said"), [({"durable_checked": False}, " (told, not checked)"), ({}, "")])
def test_durability_that_nobody_looked_at_is_told_as_that(checked: dict[str, bool], said: str) -> None:
    told = {"title": "Theirs", "durable": "synchronous is full", **checked}
    tables = conditions.groups(_result(), {"machine": {}, "versions": {}, "postgres": {}, "target": told})
    (target,) = [table["rows"] for table in tables if table["title"] == "Target"]
    assert ("durable", f"synchronous is full{said}") in target
    caveat = _caveats(_result(), postgres={}, target=told)["That a crash loses nothing"]
    assert caveat == "No Postgres was asked: durability is told by the target's manifest, not checked."
    assert "neither told nor checked" in _caveats(_result(), postgres={})["That a crash loses nothing"]


def test_each_level_of_proof_says_what_it_can_not_see() -> None:
    said = {level: verdict.proof(_result(proof=level)) for level in ("store", "log", "read-back")}
    assert [len(each["checks"]) for each in said.values()] == [6, 6, 1]
    assert len({each["unseen"] for each in said.values()}) == 3
    headline = verdict.verdict(_result(proof="read-back", correctness=Correctness(acknowledged_checked=7)), sound=True)
    assert headline["headline"].startswith("7 acknowledged writes read back: no fault.")


def test_what_may_not_be_concluded_follows_from_the_run() -> None:
    plain = _caveats(_result())
    assert "The highest rate that it takes" in plain
    assert "How fast it catches up" in plain
    assert "How fast the server is" not in plain
    held = _caveats(
        _result(
            convergence=Convergence(0.2, 9999.0, 1777, 5.0),
            generator=Generator(saturated=True),
            doubts=[DOUBT],
        )
    )
    assert "How fast it catches up" not in held
    assert "How fast the server is" in held
    assert held["Any figure without a doubt"].startswith("Other processes took 22%")
    slow = _caveats(bundles.result(variables={"HANDLER_LATENCY_MS": "5", "RATE": "50"}))
    assert "5 ms" in slow["What handlers cost"]
    assert "RATE" in slow["The highest rate that it takes"]
    lossy = _caveats(_result(), postgres={"settings": {"fsync": "off", "synchronous_commit": "on"}})
    assert "How fast a durable store is" in lossy


def test_a_run_is_repeated_by_its_revision_and_what_is_not_the_default() -> None:
    result = bundles.result(variables={"VUS": "7", "SEED": "3", "HANDLER_LATENCY_MS": "5"})
    checkout, run = conditions.commands(result, {"revision": "0123456789abcdef"})
    assert checkout == "git checkout 0123456789abcdef"
    assert run.endswith(".tools/bin/uv run python -m bench run throughput --mode parallel")
    for told in ("VUS=7", "SEED=3", "HANDLER_LATENCY_MS=5"):
        assert told in run
    for untold in ("WRITE_RATIO", "DATABASE_URL", "SERIAL_PROJECTION", "DURATION"):
        assert untold not in run


@pytest.mark.parametrize(
    ("scenario", "hold", "told"),
    [
        ("throughput", "5s", ""),
        ("throughput", "5000ms", ""),
        ("throughput", "0s", "HOLD=0s"),
        ("throughput", "3s", "HOLD=3s"),
        ("reads", "0", ""),
        ("reads", "5s", "HOLD=5s"),
        ("a.toml", "5s", "HOLD=5s"),
    ],
)
def test_a_repeated_run_is_given_what_differs_from_its_scenario_however_it_is_spelled(
    scenario: str, hold: str, told: str
) -> None:
    result = replace(bundles.result(), scenario=scenario, settings={"HOLD": hold, "DURATION": "30s"})
    (run,) = conditions.commands(result, {})
    assert [word for word in run.split() if word.startswith("HOLD")] == ([told] if told else [])


def test_a_repeated_run_quotes_what_a_shell_would_read() -> None:
    result = replace(bundles.result(), settings={"VUS": "1; rm -rf ~", "INFLUX_TOKEN": "***"})
    (run,) = conditions.commands(result, {})
    assert "VUS='1; rm -rf ~'" in run
    assert "INFLUX_TOKEN=…" in run


def test_answers_without_a_sample_are_not_told() -> None:
    empty = replace(_result(), visibility_ms=type(_result().visibility_ms)(), resources=None)
    said = {each["question"]: each["value"] for each in answers(empty, Verification())}
    assert said["When does a write show?"] == said["When does an event take effect?"] == "not told"
    assert said["What does an action cost?"] == "not told"


def _result(**changed: object) -> Result:
    return replace(bundles.result(), **changed)  # type: ignore[arg-type]


def _caveats(result: Result, **documents: object) -> dict[str, str]:
    given = {"machine": bundles.MACHINE, "postgres": {"settings": bundles.DURABLE}, **documents}
    return dict(caveats.caveats(result, given, Verification(), samples=30))
