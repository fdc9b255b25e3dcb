"""What trials of a visibility strategy come to: a loss anywhere is a loss, and a control must lose."""

from __future__ import annotations

from typing import Any

import pytest

from bench.answers.ordering import judge
from bench.answers.ordering.load import percentile
from bench.answers.ordering.strategies import naive, watermark
from metrics.records.answers.ordering import Interleaving, Skipping
from tests.unit.ordering.trials import interleaved, load, stall, trial

SOUND, CONTROL = watermark.STRATEGY, naive.STRATEGY
BY_HAND = [interleaved("protocol", "protocol", "lost")]


def test_without_a_loss_a_strategy_is_sound_and_its_figures_are_medians_sums_and_the_longest() -> None:
    trials = [
        trial(1, load=load(appends=10, appends_per_s=100.0), stalled_writer=stall(follower_s=1.0)),
        trial(2, load=load(appends=20, appends_per_s=300.0), stalled_writer=stall(follower_s=3.0)),
        trial(3, load=load(appends=30, appends_per_s=200.0), stalled_writer=stall(follower_s=2.0)),
    ]
    row = judge.row("watermark", SOUND, trials)
    assert (row["verdict"], row["why"], judge.as_it_must(row)) == ("sound", "", True)
    assert row["load"] is not None
    assert row["stalled_writer"] is not None
    assert (row["load"]["appends"], row["load"]["appends_per_s"]) == (60, 200.0)
    assert row["stalled_writer"]["follower_s"] == 3.0
    assert (row["skipping"], row["order"]) == ("covered", "kept")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"load": load(lost=2)}, "2 lost under load"),
        ({"stalled_writer": stall(lost=1)}, "1 lost at a stalled writer"),
        ({"foreign_transaction": stall(lost=3)}, "3 lost at a foreign transaction"),
        ({"interleavings": BY_HAND}, "1 lost by hand"),
        ({"load": load(doubled=4)}, "4 seen twice under load"),
    ],
)
def test_one_loss_in_one_trial_condemns_a_strategy(change: dict[str, Any], told: str) -> None:
    row = judge.row("watermark", SOUND, [trial(1), trial(2, **change), trial(3)])
    assert (row["verdict"], row["why"], judge.as_it_must(row)) == ("lost", told, False)


@pytest.mark.parametrize(
    "change", [{"load": load(lost=2)}, {"stalled_writer": stall(lost=1)}, {"interleavings": BY_HAND}]
)
def test_a_control_that_lost_is_caught(change: dict[str, Any]) -> None:
    row = judge.row("naive", CONTROL, [trial(1), trial(2, **change)])
    assert (row["verdict"], judge.as_it_must(row)) == ("caught", True)


def test_a_control_that_lost_nothing_is_not_caught_also_where_it_saw_something_twice() -> None:
    for trials in ([trial()], [trial(load=load(doubled=1))]):
        row = judge.row("naive", CONTROL, trials)
        assert (row["verdict"], judge.as_it_must(row)) == ("not caught", False)


def test_a_strategy_that_failed_or_had_no_turn_is_no_sound_one() -> None:
    failed = judge.row("watermark", SOUND, [trial()], "UndefinedFunctionError: safe_position()")
    assert (failed["verdict"], failed["why"]) == ("failed", "UndefinedFunctionError: safe_position()")
    assert failed["load"] is not None
    nothing = judge.row("watermark", SOUND, [])
    assert (nothing["verdict"], nothing["load"], nothing["skipping"]) == ("not measured", None, None)
    assert not any(map(judge.as_it_must, (failed, nothing)))


@pytest.mark.parametrize(
    ("interleavings", "expected"),
    [
        ([interleaved("protocol", "plain"), interleaved("plain", "plain")], "covered"),
        ([interleaved("protocol", "plain", "refused"), interleaved("plain", "plain")], "refused"),
        ([interleaved("protocol", "plain", "lost"), interleaved("plain", "plain")], "lost"),
        ([interleaved("plain", "protocol", "lost"), interleaved("plain", "plain", "refused")], "lost"),
        ([interleaved("plain", "protocol"), interleaved("plain", "plain", "lost")], "lost where both skip"),
        # What befalls writers that keep the protocol is another question.
        ([interleaved("protocol", "protocol", "lost"), interleaved("plain", "plain")], "covered"),
    ],
)
def test_a_writer_that_skips_the_protocol_is_judged_by_the_worst(
    interleavings: list[Interleaving], expected: Skipping
) -> None:
    assert judge.skipping(interleavings) == expected


def test_versions_that_came_inverted_once_are_inverted() -> None:
    assert judge.row("watermark", SOUND, [trial(1), trial(2, order="inverted")])["order"] == "inverted"


def test_a_percentile_is_the_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (50.0, 99.0)
    assert (percentile([7.0], 0.99), percentile([], 0.5)) == (7.0, 0.0)
