"""The stages of a write: they add up to its visibility, whatever had happened before its acknowledgement."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.preflight.settings import Settings
from bench.trial.waterfall.clock import SAME, Offset, of_any
from bench.trial.waterfall.measure import OUT, Observation, summary, tell
from bench.trial.waterfall.stages import HEARD_LATE, Batch, Batches, Effect, Write, disagreement, stages_s
from bench.trial.waterfall.stored import Stored
from metrics.catalogue import STAGES
from metrics.raw.moments import KEPT, SUFFIX, Row
from metrics.records.sections.staleness import NOT_TOLD, Waterfall
from services.projector.files.moments import KEPT as KEPT_BY_PROJECTOR

WITHIN_S = 0.001
WRITE = Write(acknowledged_at=100.0, answered_at=100.020, visibility_s=0.020, unseen_at=None)
EFFECT = Effect(recorded_at=99.998, projected_at=100.011)
BATCH = Batch(noticed=100.002, claimed=100.006, committed=100.012)


def test_each_stage_begins_where_the_one_before_ends() -> None:
    assert stages_s(WRITE, BATCH) == pytest.approx(
        {
            "commit_to_noticed": 0.002,
            "noticed_to_claimed": 0.004,
            "claimed_to_committed": 0.006,
            "committed_to_read": 0.008,
        }
    )


@pytest.mark.parametrize(
    ("batch", "effect", "told"),
    [
        (BATCH, EFFECT, ""),
        (Batch(99.9985, 100.003, 100.012), EFFECT, ""),
        (Batch(99.9985, 99.999, 99.9995), Effect(99.998, 99.9992), ""),
        (Batch(100.002, 100.006, 100.025), EFFECT, HEARD_LATE),
        (Batch(100.004, 100.002, 100.012), EFFECT, "its batch was claimed before it was noticed"),
    ],
    ids=["after", "noticed before", "all before", "commit heard of after the read", "claimed before the call"],
)
def test_the_stages_add_up_to_the_visibility_and_none_is_negative(batch: Batch, effect: Effect, told: str) -> None:
    stages = stages_s(WRITE, batch)
    assert set(stages) == set(STAGES)
    assert min(stages.values()) >= 0
    assert sum(stages.values()) == pytest.approx(WRITE.visibility_s)
    assert disagreement(WRITE, effect, batch, WITHIN_S) == told


def test_a_read_that_was_answered_before_the_write_was_waits_for_nothing() -> None:
    quick = Write(acknowledged_at=100.0, answered_at=99.999, visibility_s=0.0, unseen_at=None)
    assert sum(stages_s(quick, BATCH).values()) == 0.0


@pytest.mark.parametrize(
    ("write", "effect", "batch", "told"),
    [
        (WRITE, Effect(100.002, 100.011), BATCH, "inserted after it was acknowledged"),
        (WRITE, Effect(99.998, 100.022), BATCH, "a read showed it before its effect was written"),
        (Write(100.0, 100.020, 0.020, 100.014), EFFECT, BATCH, "sent after the commit of its effect did not show it"),
        (Write(100.0, 100.020, 0.027, None), EFFECT, BATCH, "its stages miss its visibility by -7.000 ms"),
    ],
)
def test_what_two_clocks_can_not_both_say_is_told(write: Write, effect: Effect, batch: Batch, told: str) -> None:
    assert told in disagreement(write, effect, batch, WITHIN_S)


def rows() -> list[Row]:
    """Three batches: called for twice, come upon by a poll, called for once."""
    return [
        [10.000, 10.004, 10.010, 10.012, 10.020],
        [None, None, 10.030, 10.031, 10.040],
        [10.049, 10.049, 10.050, None, 10.060],
    ]


@pytest.mark.parametrize(
    ("effect", "batch"),
    [
        (Effect(9.999, 10.015), Batch(10.000, 10.012, 10.020)),
        (Effect(10.002, 10.015), Batch(10.004, 10.012, 10.020)),
        (Effect(10.006, 10.015), Batch(10.010, 10.012, 10.020)),
        (Effect(10.022, 10.035), Batch(10.030, 10.031, 10.040)),
        (Effect(10.045, 10.055), Batch(10.049, 10.050, 10.060)),
    ],
    ids=["first call", "last call", "called for another", "by poll", "nothing is claimed"],
)
def test_the_batch_is_the_one_within_which_the_effect_was_written(effect: Effect, batch: Batch) -> None:
    assert Batches(rows()).find(effect, WITHIN_S) == batch


@pytest.mark.parametrize("written", [10.025, 10.070], ids=["between two", "after the last"])
def test_no_batch_is_guessed(written: float) -> None:
    assert Batches(rows()).find(Effect(9.0, written), WITHIN_S) is None


def test_the_offset_of_a_clock_that_moved_is_as_wrong_as_it_moved() -> None:
    found = Offset(1.0, 0.0002).drifted(Offset(1.004, 0.0001))
    assert (found.ahead_s, found.within_s) == pytest.approx((1.002, 0.0022))
    assert found.here(datetime.fromtimestamp(101.002, UTC)) == pytest.approx(100.0)


def test_a_summary_has_the_ranks_of_each_stage_and_says_how_many_writes_could_be_told() -> None:
    stages = dict.fromkeys(STAGES, 2.0)
    line = {**stages, "visibility_ms": 8.0, "inserted_at_ms": -1.5, "ahead": True, "disagreement": ""}
    found = summary([line, {**line, "ahead": False}], writes=5, within_s=0.0011)
    assert (found.samples, found.writes, found.disagreements, found.ahead) == (2, 5, 0, 0.5)
    assert found.committed_to_read is not None
    assert (found.committed_to_read.p99, found.resolution_ms) == (2.0, 1.1)
    assert Waterfall.from_dict(found.to_dict()) == found
    assert summary([], writes=5, within_s=0.001).why.startswith(NOT_TOLD)


def test_what_contradicts_itself_is_in_no_percentile_and_where_much_does_nothing_is_told() -> None:
    line = {**dict.fromkeys(STAGES, 2.0), "visibility_ms": 8.0, "inserted_at_ms": -1.5, "ahead": True}
    sound, wrong = {**line, "disagreement": ""}, {**line, "committed_to_read": 900.0, "disagreement": "out of order"}
    few = summary([sound] * 95 + [wrong] * 5, writes=100, within_s=0.001)
    assert (few.samples, few.disagreements, few.why) == (100, 5, "")
    assert few.committed_to_read is not None
    assert few.committed_to_read.p99 == 2.0
    many = summary([sound] * 94 + [wrong] * 6, writes=100, within_s=0.001)
    assert (many.committed_to_read, many.visibility, many.ahead) == (None, None, None)
    assert (many.samples, many.disagreements) == (100, 6)
    assert many.why.startswith(NOT_TOLD)
    assert "6 of 100 writes contradict each other" in many.why
    assert "out of order" in many.why


PERIOD_S = 0.02
BATCHES = 60


def followed(folder: Path) -> Waterfall:
    """The waterfall of a projector with a batch each 20 ms; a read shows each write 2 ms after its commit."""
    observed, rows = Observation(clocks=[Offset(0.0, 0.0002)]), list[Row]()
    for number in range(BATCHES):
        at = 1000 + number * PERIOD_S
        rows.append([at + 0.001, at + 0.001, at + 0.002, at + 0.005, at + 0.009])
        written = at + 0.007
        moments = {"acknowledged_at": at + 0.0005, "answered_at": at + 0.011, "unseen_ms": None, "sent_ms": 9.0}
        observed.samples.append({"stream": "t", "version": number, "answered_ms": 10.5, **moments})
        inserted, projected = (datetime.fromtimestamp(moment, UTC) for moment in (at, written))
        observed.stored = {**observed.stored, ("t", number): Stored(inserted, projected, "p")}
    (folder / f"p{SUFFIX}").write_text(json.dumps({"projector": "p", "rows": rows}))
    return told(observed, folder)


def told(observed: Observation, folder: Path, **variables: str) -> Waterfall:
    """The waterfall of a run, whose lines are left beside the moments."""

    def keep(path: Path, text: str) -> None:
        path.write_text(text)

    bundle: Any = SimpleNamespace(log=folder, folder=folder, noting=lambda _: nullcontext(), keep=keep)
    return tell(observed, Settings.from_env(variables), bundle)


AHEAD_S = 7.0
"""By how much the clock of the second shard's server is ahead."""


def of_two_shards(folder: Path) -> Waterfall:
    """A projector of two shards whose batches run at the same time, those of the second for twice as long."""
    observed = Observation(clocks=[Offset(0.0, 0.0002), Offset(AHEAD_S, 0.0003)])
    rows: tuple[list[Row], list[Row]] = ([], [])
    for number in range(BATCHES):
        shard, at = number % 2, 1000 + number // 2 * PERIOD_S
        took = 0.004 * (1 + shard)
        rows[shard].append([at + 0.001, at + 0.001, at + 0.002, at + 0.003, at + 0.003 + took])
        seen = {"acknowledged_at": at + 0.0005, "answered_at": at + 0.005 + took, "unseen_ms": None, "sent_ms": 1.0}
        observed.samples.append({"stream": "t", "version": number, "answered_ms": 4.5 + took * 1000, **seen})
        inserted, projected = (
            datetime.fromtimestamp(moment + shard * AHEAD_S, UTC) for moment in (at, at + 0.002 + took)
        )
        observed.stored = {**observed.stored, ("t", number): Stored(inserted, projected, "p", shard)}
    for shard, each in enumerate(rows):
        path = folder / f"shard-{shard}-p{SUFFIX}"
        path.write_text(json.dumps({"projector": "p", "rows": each, "shard": shard}))
    return told(observed, folder, SHARDS="2")


def test_of_two_shards_each_write_is_told_by_the_clock_and_the_batches_of_its_own(tmp_path: Path) -> None:
    found = of_two_shards(tmp_path)
    assert (found.why, found.samples, found.disagreements) == ("", BATCHES, 0)
    ranks = [one.claimed_to_committed.p50 for one in found.shards if one.claimed_to_committed is not None]
    assert ranks == pytest.approx([4.0, 8.0], abs=0.01)
    assert [(one.samples, one.writes, one.why) for one in found.shards] == [(BATCHES // 2, BATCHES // 2, "")] * 2
    assert found.resolution_ms == pytest.approx(1.3)
    lines = [json.loads(line) for line in (tmp_path / OUT).read_text().splitlines()]
    assert [line["shard"] for line in lines] == [number % 2 for number in range(BATCHES)]
    assert Waterfall.from_dict(found.to_dict()) == found


def test_of_one_shard_nothing_is_told_of_shards(tmp_path: Path) -> None:
    found = followed(tmp_path)
    assert "shards" not in found.to_dict()
    assert all("shard" not in json.loads(line) for line in (tmp_path / OUT).read_text().splitlines())


def test_a_moment_by_any_of_several_clocks_is_as_wrong_as_they_are_apart() -> None:
    assert of_any([]) == SAME
    assert of_any([Offset(1.0, 0.0002)]) == Offset(1.0, 0.0002)
    clocks = [Offset(1.0, 0.0002), Offset(1.004, 0.0001), Offset(0.9, 0.0001)]
    found = of_any(clocks)
    assert all(abs(one.ahead_s - found.ahead_s) + one.within_s <= found.within_s + 1e-9 for one in clocks)


def test_a_batch_that_is_attributed_wrongly_is_found_out_though_its_stages_add_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = followed(tmp_path)
    assert (right.why, right.samples, right.disagreements, right.newest_only) == ("", BATCHES, 0, False)
    find = Batches.find
    for apart_s in (-PERIOD_S, PERIOD_S):

        def other(self: Batches, effect: Effect, within_s: float, apart_s: float = apart_s) -> Batch | None:
            return find(self, replace(effect, projected_at=effect.projected_at + apart_s), within_s)

        monkeypatch.setattr(Batches, "find", other)
        wrong = followed(tmp_path)
        assert wrong.disagreements == wrong.samples == BATCHES - 1
        assert wrong.committed_to_read is None
        assert wrong.why


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (Batch(100.002, 100.013, 100.015), "its effect was written before its batch was claimed"),
        (Batch(100.002, 100.006, 100.009), "its effect was written after the commit of its batch"),
        (Batch(100.022, 100.026, 100.032), "its effect was written before its batch was claimed"),
    ],
)
def test_moments_out_of_order_are_told_before_they_are_cut(batch: Batch, told: str) -> None:
    assert sum(stages_s(WRITE, batch).values()) == pytest.approx(WRITE.visibility_s)
    assert disagreement(WRITE, EFFECT, batch, WITHIN_S) == told


def test_a_long_run_is_told_by_its_end_alone_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.raw.moments.KEPT", BATCHES)
    assert followed(tmp_path).newest_only
    assert KEPT_BY_PROJECTOR == KEPT
