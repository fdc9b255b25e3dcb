"""Formulas of the capacity model: pure functions from figures and a plan to the rate at which each part is full."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from bench.answers.capacity.model.inputs import Figures, Plan

MB: Final = 1e6
SHARDS: Final = (1, 2, 4, 8, 16)
"""Numbers of shards that the model is told for."""


@dataclass(frozen=True)
class Part:
    """A part of the system: one of it is full at so many events/s."""

    name: str
    one: str
    per_s: float
    then: str

    def needed(self, rate: float) -> int:
        """How many of it take the rate."""
        return ceil(rate / self.per_s)


def more(figures: Figures, shards: int) -> float:
    """The factor on processor time; what two servers were measured to take is taken for any number above one."""
    return 1.0 if shards == 1 else figures.more_by_shards


def processes(figures: Figures, plan: Plan, shards: int) -> tuple[int, int]:
    """How many API processes and projectors take the plan's rate, each on a core of its own."""
    us = plan.full * 1e6 / more(figures, shards)
    return ceil(plan.rate * figures.api_us / us), ceil(plan.rate * figures.projector_us / us)


def parts(figures: Figures, plan: Plan) -> list[Part]:
    """One of each part, over several shards: what it takes until it is full."""
    us = plan.full * 1e6 / figures.more_by_shards
    network = plan.full * plan.network_mb_s * MB / plan.standbys
    each_api, each_projector = us / figures.api_us, us / figures.projector_us
    connections = plan.pool / each_api + plan.connections_of_a_projector / each_projector
    handled = plan.full * plan.in_flight / seconds(plan.handler_ms + figures.held_ms)
    return [
        Part("CPU of Postgres", "a server", us * plan.server_cores / figures.postgres_us, "another shard"),
        Part("WAL on disk", "a server", plan.full * plan.wal_disk_mb_s * MB / figures.wal_bytes, "another shard"),
        Part("WAL to standbys", "a server", network / figures.wal_bytes, "another shard"),
        Part("autovacuum, at worst", "a server", plan.vacuum_pages_s / figures.not_hot, "a higher cost limit"),
        Part("connections", "any number of servers", plan.connections / connections, "PgBouncer before each"),
        Part("CPU of the API", "a process", each_api, "another process"),
        Part("CPU of a projector", "a process", each_projector, "another process"),
        Part("handler by stream-leases", "a projector", handled, "another projector"),
        Part("handler by global-order", "a shard", plan.full / seconds(plan.handler_ms), "another shard"),
        Part("global-order, no latency", "a shard", plan.full * figures.serial_per_s, "another shard"),
    ]


@dataclass(frozen=True)
class Shard:
    """One of so many shards under the plan's rate. `full` are its parts that do not take it."""

    shards: int
    per_s: float
    cores: float
    wal_mb_s: float
    not_hot_per_s: float
    connections: int
    full: tuple[str, ...]


def shard(figures: Figures, plan: Plan, shards: int) -> Shard:
    """What each of so many shards has to take."""
    per_s = plan.rate / shards
    cores = per_s * figures.postgres_us * more(figures, shards) / 1e6
    wal = per_s * figures.wal_bytes / MB
    not_hot = per_s * figures.not_hot
    api, projectors = processes(figures, plan, shards)
    connections = plan.pool * api + plan.connections_of_a_projector * projectors
    asked = {
        "CPU": cores > plan.full * plan.server_cores,
        "WAL on disk": wal > plan.full * plan.wal_disk_mb_s,
        "WAL to standbys": wal * plan.standbys > plan.full * plan.network_mb_s,
        "connections": connections > plan.connections,
        "autovacuum, at worst": not_hot > plan.vacuum_pages_s,
    }
    full = tuple(name for name, over in asked.items() if over)
    return Shard(shards, per_s, cores, wal, not_hot, connections, full)


def cores_of_all(figures: Figures, plan: Plan, shards: int) -> tuple[float, float]:
    """Cores in use in all: by the costs at 1,000 events/s, and by those of the largest groups, client included."""
    of_each = plan.rate * more(figures, shards) / 1e6
    return of_each * alone_us(figures), of_each * plan.cores_measured * 1e6 / figures.whole_per_s


def alone_us(figures: Figures) -> float:
    """Processor of all parts at 1,000 events/s, where few events share a statement: microseconds an event."""
    return figures.api_us + figures.projector_us + figures.postgres_us


def seconds(milliseconds: float) -> float:
    """The same in seconds."""
    return milliseconds / 1000


@dataclass(frozen=True)
class Kept:
    """What so many events are, of one of so many shards: bytes, and hours to write, to fold anew and in one order."""

    shards: int
    disk_tb: float
    wal_tb: float
    written_h: float
    folded_min: float
    in_order_min: float


def kept(figures: Figures, plan: Plan, shards: int) -> Kept:
    """The plan's events in their tables, a shard's part of them, each shard by a projector of its own."""
    events = plan.events / shards
    return Kept(
        shards=shards,
        disk_tb=events * figures.disk_bytes / 1e12,
        wal_tb=events * figures.wal_bytes / 1e12,
        written_h=plan.events / plan.rate / 3600,
        folded_min=events / figures.rebuild_per_s / 60,
        in_order_min=events / figures.serial_per_s / 60,
    )
