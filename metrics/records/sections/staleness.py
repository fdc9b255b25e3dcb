"""Staleness as a reader feels it, and where an event's time went: the sections `staleness` and `waterfall_ms`.

Measured by the visibility probe on writes of the load phase alone, between warm-up and hold. Nothing is guessed: what
was not measured is null, and `why` says why. Raw samples: `staleness.jsonl` (one write a line) and `waterfall.jsonl`
(one write a line, with its parts).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from metrics.reading import NOT_REQUIRED, WHERE_TOLD
from metrics.records.record import Record

NOT_TOLD: Final = "not told"


@dataclass(frozen=True)
class Ranks(Record):
    """Percentiles in milliseconds. None: beyond what was observed, since too many writes were never seen."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True)
class Waiting(Record):
    """Reads that wait for a version (`at_least_version`, `wait`), beside first reads that do not; shares 0 to 1.

    `reads` of them waited, `seen` is the share that showed the version, `p50_ms` and `p99_ms` are what they took.
    `plain_reads`, `plain_seen`, `plain_p50_ms` and `plain_p99_ms` are the same of reads that do not wait.
    `extra_p50_ms`, `extra_p99_ms`: percentile of the one minus the same percentile of the other. `why`: why it is not
    told.
    """

    reads: int = 0
    seen: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    plain_reads: int = 0
    plain_seen: float | None = None
    plain_p50_ms: float | None = None
    plain_p99_ms: float | None = None
    extra_p50_ms: float | None = None
    extra_p99_ms: float | None = None
    why: str = NOT_TOLD


@dataclass(frozen=True)
class Staleness(Record):
    """t-visibility: chance that a read sent t ms after the acknowledgement of a write shows it.

    Each of the `writes` is known to an interval: the last read that did not show it, and the first that did, by when
    they were sent. `curve` is [[t_ms, chance], …], each write spread evenly over its interval; `curve_bounds` is
    [[t_ms, least, most], …], what no spreading can leave. `visible_within_ms`: the wait after which that share of reads
    was seen to show it, by the later ends of the intervals. `read_your_writes`: share of writes that the next read of
    their own writer shows. `monotonic_violations`: answers of `monotonic_reads` that show less than an answer that had
    come before they were asked, over `connections` in turn. `unseen`: writes that no read had shown when a hold began,
    or the run ended; they count in all shares. `requests_per_s`: what the probe itself asked of the system.
    `interval_ms`: how long the intervals were, the resolution that was reached; `resolution_ms`, `relative_resolution`
    (of a write's age): the pauses that were meant. `waiting` is the price of reads that wait. `why`: why it is not
    told.
    """

    visible_within_ms: Ranks = field(default_factory=Ranks)
    curve: list[tuple[float, float]] = field(default_factory=list)
    curve_bounds: list[tuple[float, float, float]] = field(default_factory=list)
    interval_ms: Ranks = field(default_factory=Ranks, metadata=NOT_REQUIRED)
    read_your_writes: float | None = None
    monotonic_violations: int | None = None
    monotonic_reads: int = 0
    waiting: Waiting = field(default_factory=Waiting)
    writes: int = 0
    unseen: int = 0
    connections: int = 0
    requests_per_s: float | None = None
    resolution_ms: float | None = None
    relative_resolution: float | None = None
    why: str = NOT_TOLD


@dataclass(frozen=True)
class Stages(Record):
    """The stages of the writes of one shard, as in `Waterfall`: `samples` of its `writes` could be followed. `why`: why
    they are not told. `commit_to_noticed`, `noticed_to_claimed`, `claimed_to_committed` and `committed_to_read` are the
    stages, which add up to the `visibility` of a write. `disagreements`: writes whose moments contradict each other.
    """

    commit_to_noticed: Ranks | None = None
    noticed_to_claimed: Ranks | None = None
    claimed_to_committed: Ranks | None = None
    committed_to_read: Ranks | None = None
    visibility: Ranks | None = None
    samples: int = 0
    writes: int = 0
    disagreements: int = 0
    why: str = NOT_TOLD


@dataclass(frozen=True)
class Waterfall(Record):
    """Where the time from acknowledgement to first read went, by stage; milliseconds, of the same sampled writes.

    The stages of one write add up to its `visibility`; percentiles of stages do not. It begins at the acknowledgement,
    where visibility does: of a stage that had begun before, the rest counts. `ahead`: share of writes whose event a
    projector had noticed before their writer knew of the commit, for commit and answer take `insert_to_acknowledged`,
    beside the projector's work. `resolution_ms`: how far clocks and measured intervals may be off; `disagreements`:
    writes whose moments contradict each other beyond it; they are in no percentile, and where more than one in twenty
    does, nothing is told. `why`: why it is not told. `commit_to_noticed`, `noticed_to_claimed`, `claimed_to_committed`
    and `committed_to_read` are the stages. `samples` of the `writes` that were seen could be followed. `newest_only`:
    older writes or batches were let go, so it is of the end of the run alone.
    Of several shards each write is told by the clock and the batches of its own; `shards` has each one's stages.
    """

    commit_to_noticed: Ranks | None = None
    noticed_to_claimed: Ranks | None = None
    claimed_to_committed: Ranks | None = None
    committed_to_read: Ranks | None = None
    visibility: Ranks | None = None
    insert_to_acknowledged: Ranks | None = field(default=None, metadata=NOT_REQUIRED)
    ahead: float | None = None
    samples: int = 0
    writes: int = 0
    disagreements: int = 0
    resolution_ms: float | None = None
    newest_only: bool | None = field(default=None, metadata=NOT_REQUIRED)
    shards: list[Stages] = field(default_factory=list, metadata=WHERE_TOLD)
    why: str = NOT_TOLD
