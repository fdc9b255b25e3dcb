"""The convergence ends with the last commit that a projector knows of, and else as the load generator saw it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.trial.waterfall.clock import Offset
from bench.trial.waterfall.last_commit import until_commit
from metrics.records.sections.convergence import Convergence

AHEAD = 100.0
CLOCK = Offset(AHEAD, 0.001)
FOUND = Convergence(time_s=0.05, speed_events_per_s=1000.0, events=50, held_s=5.0, resolution_s=0.002)
EFFECT = 1000.0 + AHEAD
"""The last effect, by the database's clock: at 1000.0 of this machine's."""


def told(folder: Path, *rows: tuple[float, float], name: str = "p") -> Path:
    """What one more projector kept: begin and commit of each of its batches."""
    document = {"projector": name, "rows": [[None, None, begun, begun, committed] for begun, committed in rows]}
    (folder / f"{name}.moments.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def test_the_last_commit_of_all_projectors_ends_it(tmp_path: Path) -> None:
    told(tmp_path, (999.0, 999.9), (999.98, 1000.01))
    found = until_commit(FOUND, EFFECT, CLOCK, told(tmp_path, (999.97, 1000.03), name="q"))
    assert found.time_s == pytest.approx(0.08)
    assert found.speed_events_per_s == pytest.approx(50 / 0.08)
    assert (found.until, found.events, found.held_s) == ("commit", 50, 5.0)
    assert found.resolution_s == pytest.approx(0.002 + 0.001 + 0.001)


def test_a_batch_that_began_later_does_not_count(tmp_path: Path) -> None:
    found = until_commit(FOUND, EFFECT, CLOCK, told(tmp_path, (999.98, 1000.01), (1000.5, 1000.6)))
    assert found.time_s == pytest.approx(0.06)


def test_clocks_that_disagree_within_their_resolution_make_it_no_shorter(tmp_path: Path) -> None:
    found = until_commit(FOUND, EFFECT, CLOCK, told(tmp_path, (999.9, 999.9985)))
    assert (found.time_s, found.until) == (FOUND.time_s, "commit")


def test_without_a_speed_there_is_none_afterwards(tmp_path: Path) -> None:
    missed = Convergence(time_s=0.05, events=50, why="no hold")
    found = until_commit(missed, EFFECT, CLOCK, told(tmp_path, (999.98, 1000.01)))
    assert (found.speed_events_per_s, found.why) == (None, "no hold")
    assert found.time_s == pytest.approx(0.06)


@pytest.mark.parametrize("rows", [(), ((998.0, 999.0),), ((1001.0, 1002.0),)])
def test_nobody_who_knows_it_leaves_it_as_it_was(rows: tuple[tuple[float, float], ...], tmp_path: Path) -> None:
    assert until_commit(FOUND, EFFECT, CLOCK, told(tmp_path, *rows)) == FOUND
    assert until_commit(FOUND, None, CLOCK, told(tmp_path, (999.98, 1000.01))) == FOUND
    nothing = Convergence(why="nothing was left")
    assert until_commit(nothing, EFFECT, CLOCK, tmp_path) == nothing


def test_moments_that_can_not_be_read_leave_it_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "p.moments.json").write_text("{", encoding="utf-8")
    assert until_commit(FOUND, EFFECT, CLOCK, tmp_path) == FOUND
