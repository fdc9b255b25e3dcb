"""A contrast in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from bench.compare.statistics.contrast import Terms, contrasts
from bench.compare.statistics.pairs import Pair, Value
from bench.compare.words import amount, interval, sentence, verdict

RATE = {"label": "Actions", "unit": "/s", "better": "higher"}
TIME = {"label": "Convergence time", "unit": "s", "better": "lower"}
BACKLOG = {"label": "Largest backlog", "unit": "events", "better": "lower"}


def said(metric: dict[str, Any], base: float, arm: float, *, spread: float = 0.01, pairs: int = 5) -> tuple[str, str]:
    """What is told of arms whose five pairs lie closely around these medians."""
    steps = [(0, 0), (-1, 1), (1, 0), (0, -1), (1, 1)][:pairs]
    ran = [Pair(Value(base * (1 + spread * b)), Value(arm * (1 + spread * a))) for b, a in steps]
    found = {"arm": "new", "base": "old", **contrasts({"metric": ran}, Terms(), "seed")["metric"].to_dict()}
    arms = [{"arm": name, "median": middle, "bound": "exact"} for name, middle in (("old", base), ("new", arm))]
    whole = {**metric, "arms": arms}
    return sentence(whole, found), verdict(whole, found)


@pytest.mark.parametrize(
    ("metric", "base", "arm", "words", "better"),
    [
        (
            RATE,
            400,
            500,
            "new 500/s, old 400/s: 25 % higher with new (93.75 % interval: 24 % to 28 %).",
            "better",
        ),
        (RATE, 400, 300, "25 % lower with new (93.75 % interval: 23 % to 26 %).", "worse"),
        (RATE, 400, 1000, "2.5 times as high with new (93.75 % interval: 2.5 to 2.6).", "better"),
        (RATE, 400, 8, "98 % lower with new (93.75 % interval: 98 % to 98 %).", "worse"),
        (TIME, 10, 8, "new 8.0 s, old 10.0 s: 25 % faster with new (93.75 % interval: 23 % to 26 %).", "better"),
        (TIME, 10, 0.02, "new 20 ms, old 10.0 s: 500 times as fast with new (93.75 % interval: 490 to 505).", "better"),
        (TIME, 8, 10, "25 % slower with new (93.75 % interval: 24 % to 28 %).", "worse"),
        (TIME, 1, 30, "30 times as slow with new (93.75 % interval: 30 to 31).", "worse"),
        (BACKLOG, 100, 40, "Largest backlog: new 40 events, old 100 events: 60 % lower with new", "better"),
    ],
)
def test_a_difference_is_told_by_its_size_and_its_way(
    metric: dict[str, Any], base: float, arm: float, words: str, better: str
) -> None:
    told, found = said(metric, base, arm)
    assert words in told
    assert found == better


@pytest.mark.parametrize(
    ("metric", "arm", "words"),
    [
        (RATE, 396.0, "no verdict; a difference of 1 %, but trials of the same arm differ by up to"),
        (TIME, 404.0, "no verdict; a difference of 1.0 %, but trials of the same arm differ by up to"),
    ],
)
def test_noise_is_told_as_noise(metric: dict[str, Any], arm: float, words: str) -> None:
    told, found = said(metric, 400, arm, spread=0.1)
    assert words in told
    assert found == "no verdict"


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (
            3,
            "old 400/s: no verdict; 3 pairs: a hint at most, for a verdict takes 5: 25 % higher with new (75 %",
        ),
        (4, "24 % higher with new (87.5 % interval: 24 % to 28 %)."),
    ],
)
def test_a_hint_is_told_as_a_hint_and_never_as_a_verdict(pairs: int, words: str) -> None:
    told, found = said(RATE, 400, 500, pairs=pairs)
    assert words in told
    assert "no verdict; " in told
    assert found == "hint"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (amount(None, "ms"), "–"),
        (amount(0.25, "s"), "250 ms"),
        (amount(12.34, "ms"), "12.3 ms"),
        (amount(432.1, "/s"), "432/s"),
        (amount(17, "events"), "17 events"),
        (amount(60, "s", "at_least"), "at least 60.0 s"),
    ],
)
def test_an_amount_has_its_unit(told: str, expected: str) -> None:
    assert told == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.5, 2.25, "0.5–2.25"), (None, 0.00898, "up to 0.00898"), (12.34, None, "from 12.3"), (None, None, "–")],
)
def test_an_interval_with_one_end_says_which(low: float | None, high: float | None, expected: str) -> None:
    assert interval({"low": low, "high": high}) == expected
