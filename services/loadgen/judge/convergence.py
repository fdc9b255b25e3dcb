"""Convergence verdict: a pure function of what the readers saw. Nothing here talks to anybody or looks at a clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from metrics.records.result import Verdict
from metrics.records.sections.convergence import Convergence, Until
from metrics.records.sections.hold import Clock
from services.loadgen.judge.ledger import Expected
from services.loadgen.judge.read_back import Findings
from services.loadgen.judge.stats import Stats

CONFIRMATIONS = 3
STANDSTILL_S = 5.0
ERROR_SHARE = 0.05
MISSED_SHARE = 0.05
NOTHING_LEFT = "nothing was left to project after the last write"
NO_MOMENTS = "neither the target nor the load generator knows when the last write was"


@dataclass(frozen=True)
class Judgement:
    """A verdict with its reason in one sentence."""

    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Evidence:
    """What is known in the convergence phase.

    `confirmed`: every reader saw enough matches in a row. `unchanged_s`: for how long the stats have stood still.
    """

    stats: Stats
    expected: Expected
    confirmed: bool
    elapsed_s: float
    limit_s: float
    unchanged_s: float


def matches(stats: Stats, expected: Expected) -> bool:
    """True when the counts are as expected and nothing is left to project."""
    return stats.backlog == 0 and expected.admits(stats.counts)


def judge(evidence: Evidence) -> Judgement | None:
    """The verdict of the convergence phase, None while more must be seen.

    A standstill ends the phase early: wrong counts with nothing left to project, or a blocked stream, mend
    themselves never.
    """
    if evidence.confirmed:
        return Judgement("converged", "")
    over = evidence.elapsed_s >= evidence.limit_s
    still = evidence.unchanged_s >= min(STANDSTILL_S, evidence.limit_s)
    return _misfortune(evidence, over=over) if over or still else None


def _misfortune(evidence: Evidence, *, over: bool) -> Judgement | None:
    stats = evidence.stats
    if stats.blocked_streams:
        return Judgement("blocked", f"{stats.blocked_streams} blocked; first {stats.blocked_because}")
    if stats.backlog == 0 and not matches(stats, evidence.expected):
        return Judgement("diverged", _difference(stats, evidence.expected))
    if not over:
        return None
    if stats.backlog > 0:
        return Judgement("timed_out", f"backlog still {stats.backlog} after {evidence.elapsed_s:.0f} s")
    return Judgement("timed_out", f"counts match, but not every reader confirmed it in {evidence.elapsed_s:.0f} s")


class Streaks:
    """Counts each reader's consecutive matches."""

    def __init__(self, readers: Iterable[int], needed: int = CONFIRMATIONS) -> None:
        self._needed = needed
        self._streaks = dict.fromkeys(readers, 0)

    def note(self, reader: int, *, match: bool) -> None:
        """Take in what a reader saw; a mismatch starts its count again. Unknown readers are ignored."""
        if reader in self._streaks:
            self._streaks[reader] = self._streaks[reader] + 1 if match else 0

    @property
    def confirmed(self) -> bool:
        """True when every reader has seen enough matches in a row."""
        return all(streak >= self._needed for streak in self._streaks.values())


@dataclass(frozen=True)
class Held:
    """How all projectors stood still before the convergence: until `released_at`, on the clock of `clock`.

    `why` there was no hold. One that could not be had is `missed`: then nobody knows what the projection could do.
    """

    seconds: float = 0.0
    released_at: float | None = None
    resolution_s: float | None = None
    why: str = ""
    missed: bool = False
    clock: Clock = "database"


@dataclass(frozen=True)
class Looks:
    """The same moments as the load generator knows them itself, in seconds since the epoch by its machine's clock.

    `written_at`: when the last acknowledged write was sent; None where that is not known. `seen_at`: the answer of the
    first look that saw nothing left and the counts as expected, and none after it that did not. `unseen_at`: the
    sending of the last look that did not see that; None where every look saw it.
    """

    written_at: float | None = None
    seen_at: float | None = None
    unseen_at: float | None = None


def measure(
    at_start: Stats,
    at_end: Stats,
    verdict: Verdict,
    elapsed_s: float,
    held: Held | None = None,
    looks: Looks | None = None,
) -> Convergence:
    """Time and speed. Converged: from the later of the last write's commit and the projectors' release to the last
    projected commit, on the clock of the target's store; where it does not tell its moments, by `looks`.

    Otherwise the time is how long the phase lasted. `events` is what was left to project at its start, less what
    is left at its end; where that is nothing, or a hold was missed, there is no speed.
    """
    held, looks = held or Held(), looks or Looks()
    events = max(at_start.backlog - at_end.backlog, 0)
    took = Took(elapsed_s, held.resolution_s)
    if verdict == "converged":
        took = _by_store(at_end, held) or _by_looks(looks, held)
    measured = bool(events and took.time_s)
    known = measured and not held.missed
    unknown = took.why if events and took.why else "" if measured else NOTHING_LEFT
    return Convergence(
        time_s=took.time_s,
        speed_events_per_s=events / took.time_s if known else None,
        events=events,
        held_s=held.seconds,
        resolution_s=took.resolution_s,
        why="; ".join(filter(None, (held.why, unknown))),
        until=took.until,
    )


@dataclass(frozen=True)
class Took:
    """How long it took, to what it is known, and what ended it. `why` it says nothing of a speed."""

    time_s: float = 0.0
    resolution_s: float | None = None
    until: Until = "effect"
    why: str = ""


def _by_store(at_end: Stats, held: Held) -> Took | None:
    """By the moments that the target tells; None where it tells none, or the release is of another clock."""
    if at_end.last_event_at is None or at_end.last_projected_at is None:
        return None
    if held.released_at is not None and held.clock != "database":
        return None
    since = max(at_end.last_event_at, held.released_at or 0.0)
    return Took(max(at_end.last_projected_at - since, 0.0), held.resolution_s)


def _by_looks(looks: Looks, held: Held) -> Took:
    """Rather too long than too short: from before the last commit, or the release, to a look after the end."""
    released_at = held.released_at if held.clock == "machine" else None
    if looks.seen_at is None or (looks.written_at is None and released_at is None):
        return Took(resolution_s=held.resolution_s, until="seen", why=NO_MOMENTS)
    since = max(looks.written_at or 0.0, released_at or 0.0)
    time_s = max(looks.seen_at - since, 0.0)
    looked_s = min(time_s, looks.seen_at - looks.unseen_at) if looks.unseen_at else time_s
    return Took(time_s, looked_s + (held.resolution_s or 0.0), "seen")


@dataclass(frozen=True)
class LoadHealth:
    """How the load phase went. `missed_share` is None in the closed loop."""

    answered: int
    errors: int
    missed_share: float | None = None
    missed_because: str = ""
    failed_because: str = ""


def validity(health: LoadHealth) -> Judgement | None:
    """`invalid` when the numbers mean nothing: nothing answered, too many errors, or the generator missed its rate."""
    total = health.answered + health.errors
    mostly = f", most often: {health.failed_because}" if health.failed_because else ""
    missed = health.missed_share is not None and health.missed_share > MISSED_SHARE
    # Nothing answered since nothing was sent: what was due in a warm-up still waited before it.
    if health.answered == 0 and (health.errors or not missed):
        return Judgement("invalid", f"no request was answered in the load phase ({health.errors} errors{mostly})")
    if health.errors > ERROR_SHARE * total:
        return Judgement("invalid", f"{health.errors} of {total} requests of the load phase failed{mostly}")
    if missed:
        by = f"the generator missed its rate by {health.missed_share:.0%}"
        return Judgement("invalid", f"{by}: {health.missed_because}")
    return None


def judge_read_back(findings: Findings, entered: int) -> Judgement:
    """`diverged` for an acknowledged write that is not there, `invalid` when evidence of some of them is gone."""
    if findings.missing:
        first = findings.faults[0]
        return Judgement(
            "diverged",
            f"{findings.missing} acknowledged writes are not in the final read; first {first.stream}: "
            f"acknowledged {first.acknowledged}, shown {first.shown}",
        )
    if findings.checked != entered:
        return Judgement("invalid", f"{findings.checked} acknowledged writes were looked for, of {entered}")
    return Judgement("converged", "")


_GRAVITY: tuple[Verdict, ...] = ("diverged", "blocked", "invalid", "timed_out", "converged")


def gravest(judgements: Iterable[Judgement]) -> Judgement:
    """The one that decides: a finding about the server outranks a doubt about the measurement."""
    return min(judgements, key=lambda judgement: _GRAVITY.index(judgement.verdict))


def _difference(stats: Stats, expected: Expected) -> str:
    seen, low, high = stats.counts, expected.low, expected.high
    rows = (
        ("active todos", seen.active, low.active, high.active),
        ("todos", seen.todos, low.todos, high.todos),
        ("events projected", seen.events, low.events, high.events),
    )
    wrong = [
        f"{name} {value}, expected {least if least == most else f'{least} to {most}'}"
        for name, value, least, most in rows
        if not least <= value <= most
    ]
    return "nothing is left to project, but " + "; ".join(wrong)
