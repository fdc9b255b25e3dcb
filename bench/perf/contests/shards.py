"""The same load over so many Postgres servers: what an event costs them all, once the oracle has folded each shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from bench.ends.errors import RunFailed
from bench.oracle.database import closed, run
from bench.oracle.verify import verify_all
from bench.perf import meter
from bench.perf.contests.visible import RATE_MISSED, wait_until_projected
from bench.perf.lab import Lab
from bench.perf.meter import Counters
from bench.perf.row import Reading
from bench.platforms.postgres.cluster import Cluster
from bench.platforms.postgres.logins import addresses
from metrics.records.verification import Verification

# Of a database in which nothing else was ever done, once its clients have gone and told what they had counted.
LEFT: Final = """
SELECT sum(pg_total_relation_size(relid))::float8 AS bytes, sum(n_tup_upd)::float8 AS updates,
       sum(n_tup_upd - n_tup_hot_upd)::float8 AS not_hot, (SELECT count(*) FROM events)::float8 AS events
  FROM pg_stat_user_tables
"""


@contextmanager
def servers(lab: Lab, count: int) -> Iterator[list[Cluster]]:
    """The lab's Postgres server and further ones like it, stopped at the end of the block."""
    with ExitStack() as opened:
        further = [
            opened.enter_context(
                Cluster.throwaway("durable", settings=meter.SETTINGS, log=lab.log / f"postgres-{number}.log")
            )
            for number in range(1, count)
        ]
        yield [lab.cluster, *further]


def cost(lab: Lab, clusters: Sequence[Cluster], rate: float, seconds: float) -> Reading:
    """Microseconds of processor an event, by one API process and one projector over a fresh shard on each server.

    `rate` writes a second for so long, until all are projected. Raises RunFailed where the rate was missed, or a store
    is not right.
    """
    with _shards(lab, clusters) as stores:
        urls = list(stores)
        api, base = lab.api(urls[0], **addresses(urls))
        projector = lab.projector(urls[0], **addresses(urls))
        first = _written(lab, urls[0], base, rate, 1.0)
        before = meter.count_all(lab, stores, api, projector)
        sent = _written(lab, urls[0], base, rate, seconds)
        if sent["refused"] or sent["per_s"] < rate * RATE_MISSED:
            raise RunFailed(f"{sent['per_s']:.0f} writes/s instead of {rate:g}, {sent['refused']:g} of them refused")
        spent = meter.count_all(lab, stores, api, projector).since(before)
        lab.stop(projector)
        lab.stop(api)
        left = [lab.sql(url, LEFT)[0] for url in urls]
        found, _ = run(verify_all(urls, complete=True, serial=False))
    require_right(found, [row["events"] for row in left], first["written"] + sent["written"])
    return reading(spent, sent, left)


def require_right(found: Verification, events: Sequence[float], acknowledged: float) -> None:
    """Raises RunFailed unless each store holds a part of what was acknowledged, and all of it is projected rightly."""
    correctness = found.correctness
    if correctness.faults or found.unprojected or correctness.events_checked != acknowledged or not all(events):
        told = f"{correctness.events_checked} events in {len(events)} stores, {acknowledged:g} acknowledged"
        wrong = f"{correctness.faults} faults, {found.unprojected} events not projected"
        shares = ", ".join(f"{each:g}" for each in events)
        raise RunFailed(f"the stores are not right: {told} ({shares} in each), {wrong}", "\n".join(found.offenders))


def reading(spent: Counters, sent: Mapping[str, Any], left: Sequence[Mapping[str, float]]) -> Reading:
    """The figures of an event: of the measured ones by the counters, of all by what is left of them in the stores."""
    written, events = sent["written"], [store["events"] for store in left]
    us = {name: seconds / written * 1e6 for name, seconds in spent.cpu.items()}
    return Reading(
        sum(us.values()),
        {
            **{f"µs of {name}": each for name, each in us.items()},
            "round trips": spent.statements / written,
            "WAL bytes": spent.wal / written,
            "disk bytes": sum(store["bytes"] for store in left) / sum(events),
            "updates": sum(store["updates"] for store in left) / sum(events),
            "updates not HOT": sum(store["not_hot"] for store in left) / sum(events),
            "largest share": max(events) / sum(events),
            "write p99": sent["p99"],
            "events proven": sum(events),
        },
    )


@contextmanager
def _shards(lab: Lab, clusters: Sequence[Cluster]) -> Iterator[dict[str, Cluster]]:
    """A fresh database on each server, migrated as its shard, with the meter's extension; dropped at the end."""
    names = {f"shard_{number}": cluster for number, cluster in enumerate(clusters)}
    with ExitStack() as opened:
        stores = {}
        for name, cluster in names.items():
            stores[closed(cluster.create_database(name))] = cluster
            opened.callback(cluster.drop_database, name)
        urls = list(stores)
        lab.run("migrations", ["-m", "migrations", "upgrade"], urls[0], **addresses(urls))
        for url in urls:
            lab.sql(url, meter.EXTENSION)
        yield stores


def _written(lab: Lab, url: str, base: str, rate: float, seconds: float) -> dict[str, Any]:
    """What became of the writes of so many seconds, all of which are projected when this returns."""
    sent = lab.program("arrivals", f"--rate={rate}", f"--seconds={seconds}", url=url, BASE_URL=base)
    wait_until_projected(base)
    return sent
