"""The log over HTTP as checks read it: where it ends before they write, and what stands behind that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bench.oracle.conformance.calls import whole
from bench.oracle.conformance.client import Answer, Seen
from bench.oracle.conformance.subject import Subject, Unmet

PAGE: Final = 1000
MOST: Final = 300
"""Pages that a check reads."""
FURTHEST: Final = 2**53 - 1

Event = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """Events of some streams in the order of their positions, and the last answer."""

    events: list[Event]
    answer: Answer


def end(subject: Subject) -> int:
    """A position behind which few events stand before the check writes. Raises Unmet where there is no log.

    Found once, by doubling steps and then halves, so a log of any length costs some hundred small pages at most.
    """
    if subject.mark is None:
        subject.mark = _find(subject)
    return subject.mark


def _find(subject: Subject) -> int:
    """0, the whole log, where `after` does not help."""
    first = _page(subject, limit=PAGE)
    at, step = max(positions(first), default=0), 1
    if first.field("next") is None or not at:
        return at
    while behind := positions(_page(subject, after=at + step, limit=1)):
        if behind[0] <= at + step or step > FURTHEST:
            return 0
        at, step = behind[0], step * 2
    least, most = at, at + step
    while most - least > PAGE // 2:
        middle = (least + most) // 2
        behind = positions(_page(subject, after=middle, limit=1))
        least, most = (max(behind[0], middle), most) if behind else (least, middle)
    return least


def of(subject: Subject, mark: int, *streams: str, least: int) -> Read:
    """What stands in the log of these streams, once it is so many events at least, or patience is over."""
    found: list[Read] = []

    def ask() -> Answer:
        found.append(now(subject, mark, *streams))
        return found[-1].answer

    subject.at_last(ask, lambda _: len(found[-1].events) >= least)
    return found[-1]


def now(subject: Subject, mark: int, *streams: str) -> Read:
    """What stands in the log of these streams now."""
    by_position: dict[Any, Event] = {}
    for page in walk(subject, mark, PAGE):
        for event in events_of(page):
            if event.get("stream") in streams:
                by_position.setdefault(str(event.get("position")), event)
    return Read(sorted(by_position.values(), key=_place), page)


def walk(subject: Subject, after: int, limit: int, *, most: int = MOST) -> Iterator[Answer]:
    """Pages until `next` is null, or leads back, or there are too many."""
    for _ in range(most):
        page = _page(subject, after=after, limit=limit)
        yield page
        following = page.field("next")
        if not whole(following) or following <= after:
            return
        after = following


def events_of(page: Answer) -> list[Event]:
    """The events of a page."""
    told = page.field("events")
    return [event for event in told if isinstance(event, dict)] if isinstance(told, list) else []


def positions(page: Answer) -> list[int]:
    """The positions of a page, those that are numbers."""
    return [event["position"] for event in events_of(page) if whole(event.get("position"))]


def _page(subject: Subject, **query: Any) -> Answer:
    answer = subject.events(**query)
    if not answer.ok or not isinstance(answer.field("events"), list):
        raise Unmet("it needs a log", Seen(answer.sent, answer.came))
    return answer


def _place(event: Event) -> tuple[int, str]:
    position = event.get("position")
    return int(position or 0) if whole(position) else 0, str(position)
