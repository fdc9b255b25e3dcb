"""Resource usage beside a run: lines of `resources.jsonl`, and the sections `resources` and `neighbours`.

CPU is told in percent of one core (`_percent`, 250 is two and a half cores) or as a share of all cores that the run may
use (`_share`, 0 to 1). None is *not told*, and then `reason` says why; it is never 0 as a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from metrics.reading import NOT_REQUIRED, WHERE_TOLD
from metrics.records.record import Record
from metrics.records.samples import Moment

DOUBTFUL = 0.05
"""Share of the usable cores, or of the periods of a CPU quota, above which a loss is a doubt about every figure."""


@dataclass(frozen=True, slots=True)
class Table(Record):
    """A table by Postgres's statistics: rows `inserted` and `updated` so far, `hot_updated` of those, rows `live` and
    `dead` as it estimates them, and the bytes of the table and of its indexes.
    """

    inserted: int
    updated: int
    hot_updated: int
    live: int
    dead: int
    table_bytes: int
    index_bytes: int


@dataclass(frozen=True, slots=True)
class Counted(Record):
    """What the server of one shard counted in a second, and its busy backends: see `Second`, which has their sums."""

    looks: int
    waits: dict[str, int]
    events: int | None
    commits: int | None
    rollbacks: int | None
    wal_bytes: int | None
    tuples: int | None
    blocks_hit: int | None
    blocks_read: int | None
    checkpoints: int | None
    dead_tuples: dict[str, int]


@dataclass(frozen=True, slots=True)
class Second(Record):
    """A line of `resources.jsonl`: the `seconds` that ended at `t`, by this machine's clock. Counts are of that time.

    `cpu_percent` is by part: `api`, `projector-1` …, `postgres`, `generator`, `bench`; `postgres_cpu_percent` is that
    of Postgres again, by who its backends work for, or by what they are. `waits` are the busy backends of `looks`
    looks, by `type:event`, or `CPU` for one that waits for nothing. `dead_tuples` is by table, as Postgres estimates
    them at `t`. `memory_bytes`, by part, is what its processes have in memory and share with nobody; that and `tables`
    are looked at every few seconds, and empty in all others.
    Of several shards, parts are `postgres`, `postgres-1` …, all counts are sums over the servers, None where one of
    them did not tell, and `shards` has each one's own, in their order.
    """

    t: Moment
    seconds: float
    cpu_percent: dict[str, float]
    postgres_cpu_percent: dict[str, float]
    busy_share: float | None
    neighbours_share: float | None
    steal_share: float | None
    iowait_share: float | None
    looks: int
    waits: dict[str, int]
    events: int | None
    commits: int | None
    rollbacks: int | None
    wal_bytes: int | None
    tuples: int | None
    blocks_hit: int | None
    blocks_read: int | None
    checkpoints: int | None
    dead_tuples: dict[str, int]
    memory_bytes: dict[str, int] = field(default_factory=dict, metadata=NOT_REQUIRED)
    tables: dict[str, Table] = field(default_factory=dict, metadata=NOT_REQUIRED)
    shards: list[Counted] = field(default_factory=list, metadata=WHERE_TOLD)


@dataclass(frozen=True)
class Usage(Record):
    """CPU of one part over the load phase, in percent of one core: its mean, and its busiest second."""

    mean: float
    max: float


@dataclass(frozen=True)
class Wait(Record):
    """What busy backends were seen at: `event` is `type:event`, or `CPU`; `share` is of all that were seen busy."""

    event: str
    share: float


@dataclass(frozen=True)
class Shard(Record):
    """One of several shards, over the same seconds: `events` appended there, and of its server what `Resources` tells
    of all, by these events. None: its server did not tell it for each second. `waits`, `commits_per_event`,
    `tuples_per_event`, `dead_tuples_growth` and `checkpoints` are those of that server.
    """

    events: int | None = None
    waits: list[Wait] = field(default_factory=list)
    wal_bytes_per_event: float | None = None
    commits_per_event: float | None = None
    tuples_per_event: float | None = None
    cache_hit_share: float | None = None
    dead_tuples_growth: int | None = None
    checkpoints: int | None = None


@dataclass(frozen=True)
class Resources(Record):
    """Section `resources`: the `seconds` of `resources.jsonl` that lie within the load phase, in one.

    `cpu_percent` is by part, `postgres_cpu_percent` that of Postgres by who its backends work for, in percent of one
    core. `waits` is what busy backends waited for. `wal_bytes_per_event` and `commits_per_event` are by event
    appended. `checkpoints` of Postgres are those that began. `reason`: why something is not told.
    `busy_share` is of the `cores` that the run may be put on, whoever kept them busy.
    `cpu_us_per_action` is CPU of a part by acknowledged action, in microseconds, and `system_cpu_us_per_action` that of
    all parts of the system, what reads took included. `wal_bytes_per_action` is by the same count for every target.
    `tuples_per_event` are rows inserted, updated and deleted. `cache_hit_share` is of blocks that Postgres looked for.
    `dead_tuples_growth` is over all tables. `neighbours_share` is that of the section `neighbours`, over the same
    seconds as all else here.
    `bounded_by` is a sentence where the figures say what bounded the run, else empty.
    Of several shards all of it is summed over their servers, and `shards` has each one's own, in their order.
    """

    seconds: float = 0.0
    cores: int | None = None
    busy_share: float | None = None
    neighbours_share: float | None = None
    cpu_percent: dict[str, Usage] = field(default_factory=dict)
    postgres_cpu_percent: dict[str, Usage] = field(default_factory=dict)
    cpu_us_per_action: dict[str, float] = field(default_factory=dict)
    waits: list[Wait] = field(default_factory=list)
    wal_bytes_per_event: float | None = None
    commits_per_event: float | None = None
    tuples_per_event: float | None = None
    cache_hit_share: float | None = None
    dead_tuples_growth: int | None = None
    checkpoints: int | None = None
    bounded_by: str = ""
    reason: str = ""
    system_cpu_us_per_action: float | None = field(default=None, metadata=NOT_REQUIRED)
    wal_bytes_per_action: float | None = field(default=None, metadata=NOT_REQUIRED)
    shards: list[Shard] = field(default_factory=list, metadata=WHERE_TOLD)


@dataclass(frozen=True)
class Neighbour(Record):
    """Processes outside of the run by the `name` of their executable, and the `share` that they took."""

    name: str
    share: float


@dataclass(frozen=True)
class Neighbours(Record):
    """Section `neighbours`: what the run did not have of the machine, each a share of all cores that it may use.

    `cpu_share` is `processes_share` (other processes) and `steal_share` (the host), of `phase`: the load phase where
    they were a doubt there, else that in which they were largest. `by_phase` has the sum for each, from the load phase
    on. `kernel_share` is the system's own threads and interrupts, which are nobody's neighbour: the run's own writes
    and packets keep them busy. `iowait_share` is of idle time in which a disk was waited for, `top` the largest
    neighbours. `reason`: why something is not told. `throttled_share` is of the periods of a CPU quota, those in which
    it was used up; 0 without a quota.
    """

    cpu_share: float | None = None
    processes_share: float | None = None
    steal_share: float | None = None
    iowait_share: float | None = None
    kernel_share: float | None = None
    phase: str = ""
    by_phase: dict[str, float] = field(default_factory=dict)
    top: list[Neighbour] = field(default_factory=list)
    reason: str = ""
    throttled_share: float | None = field(default=None, metadata=NOT_REQUIRED)

    @property
    def doubt(self) -> str:
        """What a reader must know before any figure, in one sentence; empty where it is little, or not told."""
        return f"{self.lost}{f' in the {self.phase} phase' * bool(self.phase)}" if self.lost else ""

    @property
    def lost(self) -> str:
        """The same without the phase."""
        lost = self.steal_share if self.cpu_share is None else self.cpu_share
        lost, said = lost or 0.0, []
        if self.processes_share and lost > DOUBTFUL:
            names = ", ".join(f"{one.name} {one.share:.0%}" for one in self.top)
            said.append(
                f"other processes took {self.processes_share:.0%} of the usable cores{f' ({names})' * bool(names)}"
            )
        if self.steal_share and lost > DOUBTFUL and self.steal_share >= DOUBTFUL / 5:
            said.append(f"the host took {self.steal_share:.0%} of the usable cores (steal)")
        if self.throttled_share and self.throttled_share > DOUBTFUL:
            said.append(f"the CPU quota was used up in {self.throttled_share:.0%} of its periods (throttled)")
        return " and ".join(said)
