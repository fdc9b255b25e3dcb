"""The row over several servers: sums over them, and no figure before the oracle is content."""

from __future__ import annotations

from typing import ClassVar, cast

import pytest

from bench.ends.errors import RunFailed
from bench.perf import meter
from bench.perf.contests.shards import reading, require_right
from bench.perf.lab import Lab
from bench.perf.meter import Counters
from bench.platforms.postgres.cluster import Cluster
from metrics.records.result import Correctness, Percentiles
from metrics.records.verification import Verification


def verification(events: int, lost: int = 0, unprojected: int = 0) -> Verification:
    right = {"duplicated": 0, "reordered": 0, "phantom": 0, "mismatched_rows": 0}
    correctness = Correctness(events_checked=events, lost=lost, **right)
    return Verification(correctness, unprojected, Percentiles(), events, ["one offender"], 0.1)


def test_stores_that_are_right_pass() -> None:
    require_right(verification(100), [60, 40], 100)


@pytest.mark.parametrize(
    ("found", "events", "told"),
    [
        (verification(100, lost=1), [60.0, 40.0], "1 faults"),
        (verification(100, unprojected=2), [60.0, 40.0], "2 events not projected"),
        (verification(99), [60.0, 39.0], "99 events in 2 stores, 100 acknowledged"),
        (verification(100), [100.0, 0.0], r"100, 0 in each"),
    ],
)
def test_no_figure_counts_of_stores_that_are_not_right(found: Verification, events: list[float], told: str) -> None:
    with pytest.raises(RunFailed, match=told):
        require_right(found, events, 100)


def test_what_an_event_costs_is_told_of_all_servers() -> None:
    spent = Counters(statements=300, hits=0, reads=0, wal=40_000, cpu={"api": 0.02, "postgres": 0.03})
    left = [
        {"bytes": 9_000.0, "updates": 80.0, "not_hot": 40.0, "events": 50.0},
        {"bytes": 6_000.0, "updates": 70.0, "not_hot": 35.0, "events": 100.0},
    ]
    found = reading(spent, {"written": 100, "p99": 3.0}, left)
    assert found.value == pytest.approx(500)
    told = {"µs of api": 200, "µs of postgres": 300, "round trips": 3, "WAL bytes": 400, "disk bytes": 100}
    assert {name: found.figures[name] for name in told} == pytest.approx(told)
    assert (found.figures["updates"], found.figures["updates not HOT"]) == (1.0, 0.5)
    assert found.figures["largest share"] == pytest.approx(2 / 3)


class FakeLab:
    """Two stores, of which one has been asked for nothing yet."""

    rows: ClassVar[dict[str, dict[str, float | None]]] = {
        "one": {"statements": 2.0, "hits": 3.0, "reads": None, "wal": 10},
        "two": {"statements": None, "hits": None, "reads": None, "wal": 7},
    }

    def sql(self, url: str, *_: str) -> list[dict[str, float | None]]:
        return [self.rows[url]]


class FakeCluster:
    """A server by its process."""

    def __init__(self, pid: int) -> None:
        self.process = self
        self.pid = pid


def test_counters_are_summed_over_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "cpu", lambda pid: pid / 10)
    stores = {"one": cast(Cluster, FakeCluster(10)), "two": cast(Cluster, FakeCluster(5))}
    found = meter.count_all(cast(Lab, FakeLab()), stores)
    assert found == Counters(2.0, 3.0, 0.0, 17.0, {"postgres": 1.5})
