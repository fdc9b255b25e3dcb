"""What is made of readings: medians, ratios of neighbors, verdicts; and what is kept of earlier results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bench.perf import cost, rows
from bench.perf.output import results
from bench.perf.output.page import render
from bench.perf.output.table import outcome, show
from bench.perf.row import Better, Contest, Reading, Remembered, Row, Target
from bench.perf.trials import Losses, Readings, doubted, judged, summarize, take_turns
from bench.trial.resources.processes import Seen, Snapshot, Times


@contextmanager
def never(_: object) -> Iterator[Contest]:
    raise AssertionError("nothing is measured here")
    yield


def row(*targets: Target, better: Better = "higher", peer: str = "", **remembered: Remembered) -> Row:
    return Row(
        "r",
        "A row",
        "events/s",
        better,
        "we",
        "they",
        "a server",
        "a client",
        "a strategy",
        never,
        targets,
        peer,
        remembered,
    )


def readings(**sides: list[float]) -> Readings:
    return {name: [Reading(value, {"p99": value * 10}) for value in values] for name, values in sides.items()}


def test_a_ratio_is_made_of_readings_taken_side_by_side() -> None:
    # The machine slows down by half with each trial: the ratio of the medians would be the same only by luck.
    found = summarize(row(), readings(ours=[200, 120, 40], reference=[100, 50, 25]), [])
    assert (found["ours"], found["reference"], found["ratio_to_reference"]) == (120, 50, 2)
    assert found["spread"] == pytest.approx(160 / 120, rel=1e-3)


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        (Target("at least", 1.5, "reference"), True),
        (Target("at least", 2.1, "reference"), False),
        (Target("at most", 2.0, "reference"), True),
        (Target("at most", 1.9, "reference"), False),
        (Target("at most", 2000, figure="p99"), True),
        (Target("at most", 1999, figure="p99"), False),
        (Target("at least", 1, "nobody"), False),
    ],
)
def test_a_target_holds_or_not(target: Target, holds: bool) -> None:
    found = summarize(row(target), readings(ours=[200], reference=[100]), [])
    assert found["holds"] is found["targets"][0]["holds"] is holds


def test_a_remembered_peer_is_a_share_of_this_run_and_told_so() -> None:
    asked = row(Target("at least", 10, "act"), peer="act", act=Remembered(ratio_to_reference=0.1))
    found = summarize(asked, readings(ours=[150, 150], reference=[100, 150]), [])
    assert found["peer"] == 12.5
    assert found["ratio_to_peer"] == 12.5
    assert found["peers"]["act"]["from_this_run"] is False
    assert found["holds"]


def test_a_row_without_readings_does_not_hold() -> None:
    found = summarize(row(), {}, ["it failed"])
    assert found["holds"] is False
    assert found["ours"] is None
    assert found["note"] == "it failed"


def test_the_document_has_the_promised_fields() -> None:
    found = summarize(row(), readings(ours=[1], reference=[1]), [])
    promised = {"name", "ours", "reference", "peer", "ratio_to_reference", "ratio_to_peer", "spread", "unit", "holds"}
    assert promised <= found.keys()


def surroundings(revision: str) -> dict[str, Any]:
    return {
        "machine": {"cpu_model": "c", "cores": 2, "ram_gib": 24, "os": "o"},
        "versions": {
            "revision": revision,
            "postgres": "p",
            "python": "3",
            "packages": {"a": "1"},
            "peers": {"act": "x"},
        },
        "settings": {"postgres": "defaults", "http_client": "wrk"},
        "quick": False,
        "measured_at": "now",
    }


def test_a_row_measured_alone_keeps_the_others_of_the_same_revision() -> None:
    before = {"rows": [{"name": "a", "ours": 1}, {"name": "b", "ours": 1}], **surroundings("one")}
    assert results.merge(before, surroundings("one"), {"name": "b", "ours": 2})["rows"] == [
        {"name": "a", "ours": 1},
        {"name": "b", "ours": 2},
    ]
    assert results.merge(before, surroundings("two"), {"name": "b", "ours": 2})["rows"] == [{"name": "b", "ours": 2}]
    quick = {**surroundings("one"), "quick": True}
    assert results.merge(before, quick, {"name": "b", "ours": 2})["rows"] == [{"name": "b", "ours": 2}]


def test_the_page_tells_what_was_missed() -> None:
    asked = row(Target("at least", 3, "reference"), peer="act", act=Remembered(value=5))
    page = render({"rows": [summarize(asked, readings(ours=[2], reference=[1]), [])], **surroundings("one")}, None)
    assert "| A row | 2 | 1 | 5 | 2 | 0.4 | 0 | events/s | **no** |" in page
    assert "must reach ≥ 3 × the reference: 2, **missed**" in page
    assert "not from this run" in page
    assert "- server: a server; client: a client; strategy: a strategy" in page


def looks(*busy_s: float) -> Callable[[], Snapshot]:
    """A machine of two cores, looked at every ten seconds; a stranger has used so many seconds by then."""
    stranger = [
        {7: Seen(1, "stress-ng", None, 1.0, seconds), 2: Seen(0, "kthreadd", 0, 1.0, 0.0)} for seconds in busy_s
    ]
    moments = iter([Snapshot(10.0 * n, 2, Times(), each) for n, each in enumerate(stranger)])
    return lambda: next(moments)


def test_a_row_that_was_measured_beside_a_busy_neighbour_is_in_doubt() -> None:
    losses: Losses = {}
    contest = Contest(lambda: Reading(1.0), lambda: Reading(1.0))
    # Ours, the reference, ours, the reference: before and after each.
    take_turns(contest, 2, {}, losses, [], lambda _: None, looks(0, 2, 2, 2, 2, 8, 8, 8))
    found = doubted(losses)
    assert found["neighbours_share"] == {"ours": [0.1, 0.3], "reference": [0.0, 0.0]}
    said = "other processes took 20% of the usable cores (stress-ng 20%) while ours was measured"
    assert found["doubts"] == [said]
    asked = summarize(row(Target("at least", 1, "reference")), readings(ours=[2], reference=[1]), [])
    row_found = judged({**asked, **found})
    assert row_found["verdict"] == "in doubt"
    page = render({"rows": [row_found], **surroundings("one")}, {"lines": [], "doubts": ["planted"]})
    assert "| events/s | **in doubt** |" in page
    assert f"- **in doubt**: {said}" in page
    assert "- **in doubt**: planted" in page
    shown = StringIO()
    show(Console(file=shown, width=160), [row_found])
    assert "in doubt" in shown.getvalue().splitlines()[1]
    assert "holds" not in shown.getvalue()
    assert said in shown.getvalue()


@pytest.mark.parametrize("holds", [True, False])
def test_only_a_row_out_of_doubt_has_a_verdict(holds: bool) -> None:
    row_found = {"holds": holds, "doubts": []}
    assert judged(row_found)["verdict"] == outcome(row_found) == ("holds" if holds else "does not hold")
    assert judged({**row_found, "doubts": ["planted"]})["verdict"] == "in doubt"
    assert outcome({**row_found, "doubts": ["planted"]}) == "in doubt"


def test_the_cost_tells_who_else_was_there() -> None:
    line = {"what": "a", "value": 1.0, "unit": "s"}
    found = cost.in_turn({"append": lambda: iter([line]), "idle": lambda: iter([line])}, looks(0, 2, 2, 2))
    assert (found["lines"], found["neighbours_share"]) == ([line, line], {"append": [0.1], "idle": [0.0]})
    assert found["doubts"] == ["other processes took 10% of the usable cores (stress-ng 10%) while append was measured"]


def test_a_quiet_row_is_in_no_doubt() -> None:
    losses: Losses = {}
    take_turns(Contest(lambda: Reading(1.0)), 1, {}, losses, [], lambda _: None, looks(5, 5.5))
    assert doubted(losses) == {"neighbours_share": {"ours": [0.025]}, "doubts": []}
    assert doubted({}) == {"neighbours_share": {}, "doubts": []}


def test_every_row_has_targets_that_name_its_sides() -> None:
    known = rows.load()
    assert len(known) == len(rows.NAMES)
    for name, one in known.items():
        assert one.name == name
        assert one.targets
        for target in one.targets:
            assert target.of in {"", "reference", one.peer, *one.remembered}
