"""`ordering.json`: visibility strategies of an event table, measured by turns at one sitting, a row each."""

from __future__ import annotations

from typing import Any, Final, Literal, TypedDict

SCHEMA: Final = 1
FILE: Final = "ordering.json"

Outcome = Literal["seen", "lost", "refused"]
Order = Literal["kept", "inverted"]
Skipping = Literal["covered", "refused", "lost", "lost where both skip"]
Writer = Literal["protocol", "plain"]


class Sight(TypedDict):
    """What a follower saw. `lost` were committed and never seen, `doubled` were seen again."""

    seen: int
    lost: int
    doubled: int


class Load(Sight):
    """Writers at full speed beside a follower. `appends` are those committed, `appends_per_s` of the load's seconds.

    `late` of them idled for a moment before their commit. `append_*` is of those that neither idled nor rolled back.
    `lag_*` is from the acknowledgement of a commit to the follower's sight, 0 where it saw it earlier.
    """

    appends: int
    late: int
    rolled_back: int
    appends_per_s: float
    append_p50_ms: float
    append_p99_ms: float
    lag_p50_ms: float
    lag_p99_ms: float


class Stall(Sight):
    """The same writers while one transaction stands still for `stall_s`; none of them idles or rolls back.

    `follower_s` is the longest from a commit to its sight, `writers_s` the longest append of anybody else;
    `appends_per_s` are those begun and committed while it stood still.
    """

    appends: int
    appends_per_s: float
    writers_s: float
    follower_s: float


class Interleaving(TypedDict):
    """Two appends by hand: the first takes its position and waits, the second commits, the follower reads, the first
    commits, the follower reads. `waited`: the second could not commit before the first.
    """

    first: Writer
    second: Writer
    outcome: Outcome
    waited: bool


class Trial(TypedDict):
    """One turn of a strategy on a database of its own. `lost_share` is what other processes took of the cores."""

    round: int
    load: Load
    stalled_writer: Stall
    foreign_transaction: Stall
    interleavings: list[Interleaving]
    order: Order
    lost_share: float


class Row(TypedDict):
    """One strategy over its trials: rates and percentiles are medians, the longest are the longest, counts are sums.

    A `control` must be `caught` losing events, and all others be `sound`. `skipping`: what becomes of the events of a
    writer that skips the protocol. `order`: of the versions of a stream, where a transaction writes to two streams.
    """

    strategy: str
    title: str
    control: bool
    guarantee: str
    price: str
    failure: str
    verdict: Literal["sound", "lost", "caught", "not caught", "failed", "not measured"]
    why: str
    skipping: Skipping | None
    order: Order | None
    load: Load | None
    stalled_writer: Stall | None
    foreign_transaction: Stall | None
    trials: list[Trial]


class Ordering(TypedDict):
    """`ordering.json`. `sound`: each strategy is as it must be, in all rounds. `why` it ended before its last round.

    `doubts` say why its times prove little; what was lost is lost all the same.
    """

    schema: int
    ordering_id: str
    sound: bool
    why: str
    seed: int
    rounds: int
    complete: int
    seconds: float
    writers: int
    stall_s: float
    took_s: float
    machine: dict[str, Any]
    postgres: dict[str, Any]
    versions: dict[str, Any]
    doubts: list[str]
    notes: list[str]
    rows: list[Row]
