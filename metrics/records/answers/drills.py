"""`drills.json`: each fault with its repetitions, how often it hit, what the oracles counted, and its verdict."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

from metrics.records.sections.target import Target

SCHEMA: Final = 1
FILE: Final = "drills.json"

Verdict = Literal["passed", "failed", "not hit"]
Count = Annotated[int, Meta(ge=0)]
Figure = Annotated[float, Meta(ge=0)]


class Spread(TypedDict):
    """Seconds, `p50` and `max` over the repetitions that hit; None where none is known."""

    p50: Figure | None
    max: Figure | None


class Around(TypedDict):
    """Write to visible, p99 in milliseconds, `before`, `during` and `after`: medians of the repetitions that hit."""

    before: Figure | None
    during: Figure | None
    after: Figure | None


class Run(TypedDict):
    """One repetition: `run_id`, its bundle; `seed`, of its load; `hit`, whether it met work in hand.

    `what` happened; `why` it failed, empty where it did not. `replay` is the command that runs one that failed again,
    by its seed; empty of any other.
    """

    run_id: str
    seed: int
    hit: bool
    what: str
    why: str
    replay: NotRequired[str]


class Curve(TypedDict):
    """The load phase of one repetition, second by second. Its clock begins at the strike, so it is below 0 before.

    `run_id` names its bundle. `t_s` are the ends of the seconds, `healed_s` when it was healed; None: it was not.
    `actions_per_s` are acknowledged writes and `reads_per_s` answered reads. `stale_ms` is the larger one of that
    second's p99 of write to visible and the age of the oldest sampled write that no read had shown; None: not sampled.
    """

    run_id: str
    healed_s: float | None
    t_s: list[float]
    actions_per_s: list[Figure | None]
    reads_per_s: list[Figure | None]
    stale_ms: list[Figure | None]


class Drill(TypedDict):
    """One fault on one target under one strategy. Counts are sums over all repetitions.

    `name` is that of the fault, `mode` and `strategy` how the projectors ordered events, `platform` where it ran.
    `hit` of the `repetitions` met work in hand, of `wanted` that were asked for. `lost`, `doubled`, `reordered`,
    `phantom` and `wrong_rows` are what the oracles counted, None what its level of proof can not see. `wrong_rows` are
    rows and counters that differ from the fold of the events, and acknowledged writes that a read at the end lacks.
    `blocked` and `not_converged` are runs that did not come back. `takeover_s` is until the work of the part that was
    hit went on. `no_takeover_s`: for how long nobody took over, of the repetitions in which nobody did. `stall_s` is
    the longest span from the strike on in which the projection stood still with work left, or the API gave no answer
    (both by looks every 0.2 s), or no action was acknowledged (by samples of a second). `right_again_s`: from the heal
    (the restart, after a kill) until as much was projected as there was then. `visible_p99_ms` is write to visible
    around the fault. `errors` are the failed requests of the whole runs by kind: an HTTP status, or what became of the
    connection. `not_told`: what the target does not tell of its projectors. `seeds` and `runs` are of each repetition.
    `curve` is of the first that failed, else of the first that hit. `settings`: those of every repetition, as a result
    has them, but for the seed. `path` names the folder of a target that does not come with us. `verdict` is `passed`
    where it hit as often as asked, nothing is wrong, and it came back.
    """

    name: str
    mode: str
    strategy: str
    platform: str | None
    repetitions: Count
    wanted: Count
    hit: Count
    lost: Count | None
    doubled: Count | None
    reordered: Count | None
    phantom: Count | None
    wrong_rows: Count | None
    blocked: Count
    not_converged: Count
    takeover_s: Spread
    stall_s: Spread
    visible_p99_ms: Around
    errors: dict[str, Count]
    no_takeover_s: NotRequired[Spread]
    right_again_s: NotRequired[Spread]
    not_told: NotRequired[list[str]]
    curve: NotRequired[Curve | None]
    path: NotRequired[str]
    settings: NotRequired[dict[str, Any]]
    seeds: list[int]
    runs: list[Run]
    verdict: Verdict


class NotApplicable(TypedDict):
    """A fault, by `name`, that has nothing to strike under a `strategy`, and `why`."""

    name: str
    strategy: str
    why: str


class Drills(TypedDict):
    """`drills.json`. `target` is that of all drills. `why` it ended before its last repetition, else empty."""

    schema: int
    target: Target
    drills: list[Drill]
    not_applicable: NotRequired[list[NotApplicable]]
    why: NotRequired[str]
    took_s: NotRequired[Figure]
