"""Staleness in sentences."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.report.staleness import of_100, sentences, waterfall
from metrics.records.sections.staleness import Ranks, Staleness, Waiting, Waterfall

MEASURED = Staleness(
    visible_within_ms=Ranks(1.0, 4.0, 7.41),
    read_your_writes=0.371,
    monotonic_violations=0,
    monotonic_reads=512,
    connections=8,
    waiting=Waiting(seen=1.0, extra_p50_ms=2.34, extra_p99_ms=6.0),
    writes=250,
    why="",
)


def test_each_figure_is_a_sentence() -> None:
    assert sentences(MEASURED) == [
        "a page that waits 7.5 ms sees its own write in 99 of 100",
        "a read right after a write shows it in 37 of 100",
        "of 512 reads over 8 connections in turn none went back in time",
        "a read that waits for its version shows it in 100 of 100, "
        "and takes 2.3 ms more at the median, 6.0 ms more at p99",
    ]
    quicker = replace(MEASURED, waiting=replace(MEASURED.waiting, extra_p99_ms=-5.0))
    assert sentences(quicker)[3].endswith("2.3 ms more at the median, no longer at p99")


def test_what_went_back_is_told() -> None:
    found = sentences(replace(MEASURED, monotonic_violations=3))
    assert found[2].startswith("3 of 512 reads over 8 connections in turn went back in time")


def test_no_wait_is_promised_where_too_many_writes_were_never_seen() -> None:
    found = sentences(replace(MEASURED, visible_within_ms=Ranks(1.0), unseen=20))
    assert found[0] == "20 of 250 writes were never seen, so no wait is known that suffices for 99 of 100"


def test_nothing_is_said_of_what_was_not_measured() -> None:
    assert sentences(Staleness()) == []
    unknown = replace(MEASURED, read_your_writes=None, monotonic_violations=None, waiting=Waiting())
    assert len(sentences(unknown)) == 1


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "100 of 100"),
        (0.9999, "99 of 100"),
        (0.29, "29 of 100"),
        (0.004, "fewer than 1 of 100"),
        (0.0, "0 of 100"),
    ],
)
def test_a_share_is_never_rounded_up(share: float, words: str) -> None:
    assert of_100(share) == words


def test_the_stages_in_a_line_and_the_reason_without_them() -> None:
    ranks = Ranks(1.26, 2.0, 3.0)
    found = Waterfall(ranks, None, ranks, ranks, samples=9, why="")
    assert waterfall(found) == "noticed 1.3  claimed –  committed 1.3  read 1.3 ms"
    assert waterfall(Waterfall(why="not told: no database")) == "not told: no database"
