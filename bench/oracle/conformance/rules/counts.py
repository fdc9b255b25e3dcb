"""Rules of GET /stats: five required figures that move as writes do, and a backlog that tells the truth.

Most of them compare counts, so they run alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from bench.oracle.conformance.calls import figures, whole
from bench.oracle.conformance.client import Answer, Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Made, Subject, Unmet
from settings.catalogue.capabilities import FIGURES

NUMBERS: Final = ("eventIdLag", "oldestUnprojectedAgeMs", "blockedStreams")
TIMES: Final = ("lastEventAt", "lastProjectedAt")
TRIES: Final = 5
NOBODY_ELSE: Final = " (or somebody else writes there: the suite wants the system for itself)"


@rule(
    f"200, and whole numbers from 0 on for {', '.join(FIGURES)}",
    "tell these five exactly; what is not known can not be left out here",
    short=True,
)
def stats_fields(subject: Subject) -> Seen:
    """`/stats` is answered with 200; the five required figures are whole numbers from 0 on."""
    answer = subject.stats()
    wrong = [f"{name} {answer.field(name)!r}" for name in FIGURES if not whole(answer.field(name))]
    return answer.must(answer.status == 200 and not wrong, ", ".join(wrong))


@rule(
    "one more after a create, an update and a delete each" + NOBODY_ELSE,
    "answer a write after its commit, and count committed events in the transaction that writes them, or from the log",
    short=True,
    turn="alone",
)
def stats_event_count(subject: Subject) -> Seen:
    """Each acknowledged write adds one to `eventCount`, at once."""
    subject.quiet()
    before, _ = _figure(subject, "eventCount")
    for made, words in subject.life():
        now, answer = _figure(subject, "eventCount")
        came = f"eventCount {before}, and {now - before:+} right after {words}, the write number {made.version}"
        seen = answer.must(now == before + made.version, came)
    return seen


@rule("3 more after three writes" + NOBODY_ELSE, "count each event that took effect, once", turn="alone")
def stats_projected(subject: Subject) -> Seen:
    """Each acknowledged write adds one to `totalEventsProjected`, at last."""
    return _moved(subject, "totalEventsProjected", (1, 2, 3))


@rule(
    "one more for the create, and so it stays" + NOBODY_ELSE,
    "count todos ever projected, deleted ones too",
    turn="alone",
)
def stats_total_todos(subject: Subject) -> Seen:
    """A create adds one to `totalTodos` at last; update and delete change nothing."""
    return _moved(subject, "totalTodos", (1, 1, 1))


@rule(
    "one more after the create, as before after the delete" + NOBODY_ELSE,
    "count todos that are not deleted",
    turn="alone",
)
def stats_active_todos(subject: Subject) -> Seen:
    """A create adds one to `activeTodos` at last, a delete takes one."""
    return _moved(subject, "activeTodos", (1, 1, 0))


@rule(
    "backlog 0 within 10 s" + NOBODY_ELSE,
    "count events committed and not yet projected; a projector must be at work",
    short=True,
    turn="alone",
)
def stats_backlog_0(subject: Subject) -> Seen:
    """`backlog` is 0 at last when nobody writes."""
    subject.make()
    answer = subject.at_last(subject.stats, lambda answer: answer.field("backlog") == 0)
    return answer.must(answer.field("backlog") == 0, f"backlog {answer.field('backlog')}")


@rule(
    "a read that shows the write",
    "take backlog from what is committed and what is projected, in one snapshot; never tell 0 as a guess",
    turn="alone",
)
def stats_backlog_honest(subject: Subject) -> Seen:
    """Where `backlog` is 0 after an acknowledged write, a read shows that write."""
    for _ in range(TRIES):
        made = subject.make()
        told = subject.at_last(subject.stats, lambda answer: answer.field("backlog") == 0)
        if told.field("backlog") != 0:
            raise Unmet("it needs a backlog that becomes 0", Seen(told.sent, f"backlog {told.field('backlog')}"))
        read = subject.get(made.id)
        seen = read.must(read.field("text") == made.text, f"backlog 0 after a create, and a read of it: {read.came}")
    return seen


@rule("numbers from 0 on, times in ISO 8601 with an offset, or null", "tell them so, or leave them out")
def stats_optional(subject: Subject) -> Seen:
    """Further figures that are told are what they should be: `eventIdLag`, `oldestUnprojectedAgeMs`, `blockedStreams`
    numbers from 0 on, `lastEventAt` and `lastProjectedAt` times with an offset; or null."""
    answer = subject.stats()
    wrong = [f"{name} {answer.field(name)!r}" for name in NUMBERS if not _is_number(answer.field(name))]
    wrong += [f"{name} {answer.field(name)!r}" for name in TIMES if not is_time(answer.field(name), or_none=True)]
    told = sum(answer.field(name) is not None for name in (*NUMBERS, *TIMES))
    return answer.must(not wrong, ", ".join(wrong) or f"{told} of {len(NUMBERS) + len(TIMES)} are told")


def is_time(value: Any, *, or_none: bool = False) -> bool:
    """ISO 8601 with an offset."""
    if value is None:
        return or_none
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0)


def _figure(subject: Subject, name: str) -> tuple[int, Answer]:
    answer = subject.stats()
    found = figures(answer).get(name)
    if found is None:
        raise Unmet(f"it needs {name}", Seen(answer.sent, answer.came))
    return found, answer


def _moved(subject: Subject, name: str, by: tuple[int, int, int]) -> Seen:
    """By so much the figure is more after a create, an update and a delete, each once it is projected."""
    subject.quiet()
    before, _ = _figure(subject, name)
    made = subject.make()
    steps: tuple[tuple[Callable[[Made], object], bool], ...] = (
        (lambda _: None, False),
        (subject.change, False),
        (subject.remove, True),
    )
    found = []
    for step, deletes in steps:
        step(made)
        subject.settle(made, deleted=deletes)
        value, answer = _figure(subject, name)
        found.append(value - before)
    return answer.must(
        tuple(found) == by, f"{name} {_signed(found)} after a create, an update, a delete, from {before}"
    )


def _signed(changes: list[int]) -> str:
    return ", ".join(f"{change:+}" for change in changes)
