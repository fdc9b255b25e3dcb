"""`drills.json`: each fault with its repetitions, how often it hit, what the oracles counted, and its verdict."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired, TypedDict

from msgspec import Meta

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

    `what` happened; `why` it failed, empty where it did not.
    """

    run_id: str
    seed: int
    hit: bool
    what: str
    why: str


class Drill(TypedDict):
    """One fault on one `target` under one strategy. Counts are sums over all repetitions.

    `name` is that of the fault, `mode` and `strategy` how the projectors ordered events, `platform` where it ran.
    `hit` of the `repetitions` met work in hand, of `wanted` that were asked for. `lost`, `duplicated`, `reordered`,
    `phantom`, `mismatched_rows` and `acknowledged_missing` are what the oracles counted, None what
    its level of proof can not see. `blocked` and `not_converged`
    are runs that did not come back. `takeover_s` is until the work of the part that was hit went on, `visible_p99_ms`
    write to visible around it, `errors` are failed requests. `seeds` and `runs` are of each repetition. `verdict` is
    `passed` where it hit as often as asked, nothing is wrong, and it came back. `no_takeover_s`: for how long nobody
    took over, of the repetitions in which nobody did. `right_again_s`: from the heal (the restart, after a kill) until
    as much was projected as there was then. `not_told`: what the target does not tell of its projectors. `settings`:
    those of every repetition, as a result has them, but for the seed. `path` names the folder of a target that does not
    come with us.
    """

    name: str
    mode: str
    strategy: str
    platform: str | None
    repetitions: Count
    wanted: Count
    hit: Count
    lost: Count | None
    duplicated: Count | None
    reordered: Count | None
    phantom: Count | None
    mismatched_rows: Count | None
    acknowledged_missing: Count | None
    blocked: Count
    not_converged: Count
    takeover_s: Spread
    target: NotRequired[str]
    no_takeover_s: NotRequired[Spread]
    right_again_s: NotRequired[Spread]
    not_told: NotRequired[list[str]]
    path: NotRequired[str]
    settings: NotRequired[dict[str, Any]]
    visible_p99_ms: Around
    errors: Count
    seeds: list[int]
    runs: list[Run]
    verdict: Verdict


class Drills(TypedDict):
    """`drills.json`."""

    schema: int
    drills: list[Drill]
