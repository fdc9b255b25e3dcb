"""Rules of the capability `events`: the whole log over HTTP, in its order."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any, Final

from bench.oracle.conformance.calls import whole
from bench.oracle.conformance.client import Answer, Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.rules import log
from bench.oracle.conformance.rules.counts import is_time
from bench.oracle.conformance.subject import Made, Subject, Unmet

TYPES: Final = ("TodoCreated", "TodoUpdated", "TodoDeleted")
DEFAULT: Final = 100
MANY: Final = 8

events = partial(rule, part="events")


@events(
    '200 {"events": [{"position", "stream", "version", "type", "data", …} …], "next": position or null}',
    "show each event with these fields",
    short=True,
)
def events_fields(subject: Subject) -> Seen:
    """`/events` is answered with 200; each event has `position`, `stream`, `version`, `type` and `data`, and the page
    has `next`, a position or null."""
    mark = log.end(subject)
    found = log.of(subject, mark, subject.make().id, least=1)
    page = subject.events(after=mark, limit=5)
    wrong = next((event for event in log.events_of(page) if not _typed(event)), None)
    named = isinstance(page.document, dict) and "next" in page.document
    following = named and (page.field("next") is None or whole(page.field("next")))
    seen = page.must(page.status == 200 and following and wrong is None, f"{page.status} {wrong}" if wrong else "")
    found.answer.must(bool(found.events), "the event of a create is not there")
    return seen


@events("a time such as 2026-11-26T12:00:00.123456+00:00", "show when the event was recorded, with its offset from UTC")
def events_recorded_at(subject: Subject) -> Seen:
    """`recordedAt` is a time in ISO 8601 with an offset."""
    mark = log.end(subject)
    found = log.of(subject, mark, subject.make().id, least=1)
    told = [event.get("recordedAt") for event in found.events]
    return found.answer.must(bool(told) and all(map(is_time, told)), f"recordedAt {', '.join(map(repr, told))}")


@events(
    "the event of each write in the log, asked right after its answer",
    "acknowledge after the commit, and read the log from where it is committed",
    short=True,
    turn="alone",
)
def events_at_once(subject: Subject) -> Seen:
    """An acknowledged write stands in the log as soon as its answer has come."""
    mark = log.end(subject)
    for made, words in subject.life():
        found = log.now(subject, mark, made.id)
        came = f"{len(found.events)} events of the todo, {made.version} acknowledged, right after {words}"
        seen = found.answer.must(len(found.events) >= made.version, came)
    return seen


@events(
    "positions that strictly increase",
    "order by the position, and let a later commit never get a lower one",
    short=True,
)
def events_order(subject: Subject) -> Seen:
    """Positions strictly increase, within a page and from page to page."""
    mark = log.end(subject)
    _lives(subject, mark, 3)
    pages = list(log.walk(subject, mark, 4, most=4))
    found = [event.get("position") for page in pages for event in log.events_of(page)]
    wrong = next((f"{b} after {a}" for a, b in pairwise(found) if not _less(a, b)), "")
    return pages[-1].must(bool(found) and not wrong, wrong and f"{wrong}; on {len(pages)} pages of 4")


@events(
    "versions 1, 2, 3 … without gaps and doubles",
    "give the version within the transaction that writes the event: a unique key of stream and version",
)
def events_versions(subject: Subject) -> Seen:
    """Each stream has the versions 1, 2, 3 … in the log's order, also of writes at the same moment."""
    mark = log.end(subject)
    made = subject.make()
    texts = [subject.text() for _ in range(MANY)]
    answers = subject.together([partial(subject.put, made.id, text) for text in texts])
    made.version += sum(answer.ok for answer in answers)
    subject.remove(made)
    found = log.of(subject, mark, made.id, least=made.version)
    versions = [event.get("version") for event in found.events]
    came = f"{made.version} writes acknowledged, in the log {', '.join(map(str, versions))}"
    return found.answer.must(versions == list(range(1, made.version + 1)), came)


@events(
    "TodoCreated and TodoUpdated with their texts, TodoDeleted with {}",
    "show each event by the type and the data of the contract, whatever the store calls them",
)
def events_types(subject: Subject) -> Seen:
    """A create, an update and a delete stand there as `TodoCreated`, `TodoUpdated` and `TodoDeleted`, with their
    texts."""
    mark = log.end(subject)
    made = subject.make()
    texts = [made.text, subject.text()]
    subject.change(made, texts[1])
    subject.remove(made)
    found = log.of(subject, mark, made.id, least=made.version)
    told = [(event.get("type"), event.get("data")) for event in found.events]
    expected: list[tuple[str, Any]] = [*zip(TYPES, ({"text": text} for text in texts), strict=False), (TYPES[2], {})]
    return found.answer.must(told == expected, ", ".join(f"{kind} {data}" for kind, data in told) or "nothing")


@events(
    "the events behind it, the next one first", "let `after` exclude the event at that position, and nothing behind it"
)
def events_after(subject: Subject) -> Seen:
    """Only events behind `after` are shown."""
    mark = log.end(subject)
    _lives(subject, mark, 2)
    all_of_them = log.positions(subject.events(after=mark, limit=20))
    if len(all_of_them) < 4:
        raise Unmet(f"it needs some events in the log, and there are {len(all_of_them)}")
    after, following = sorted(all_of_them)[2:4]
    page = subject.events(after=after, limit=5)
    shown = log.positions(page)
    return page.must(min(shown, default=0) == following, f"positions {shown} after {after}, where {following} is next")


@events("at most 2 with limit=2, and at most 100 without", "cut a page at `limit`, by default at 100")
def events_limit(subject: Subject) -> Seen:
    """A page has at most `limit` events, and 100 where no limit is said."""
    mark = log.end(subject)
    _lives(subject, mark, 1)
    by_default = subject.events()
    by_default.must(len(log.events_of(by_default)) <= DEFAULT, f"{len(log.events_of(by_default))} events")
    page = subject.events(after=mark, limit=2)
    return page.must(len(log.events_of(page)) <= 2, f"{len(log.events_of(page))} events")


@events("400", "refuse a limit that is no whole number from 1 on, and a position that is none")
def events_limit_400(subject: Subject) -> Seen:
    """A `limit` of 0 or of letters, and an `after` of letters, are refused with 400."""
    for query in ({"limit": "0"}, {"limit": "many"}, {"after": "here"}):
        answer = subject.events(**query)
        seen = answer.must(answer.status == 400)
    return seen


@events(
    "every event of the check, and `next` null on the last page",
    "give as `next` the last position of a page, null where nothing more was there",
)
def events_next(subject: Subject) -> Seen:
    """Following `next`, the last position of a page, leads past every event, and ends with null."""
    mark = log.end(subject)
    made = _lives(subject, mark, 3)
    pages = list(log.walk(subject, mark, 5))
    for page in pages[:-1]:
        page.must(page.field("next") == max(log.positions(page), default=None))
    seen = {(event.get("stream"), event.get("version")) for page in pages for event in log.events_of(page)}
    written = {(each.id, version) for each in made for version in range(1, each.version + 1)}
    missing, following = len(written - seen), pages[-1].field("next")
    told = f"{len(pages)} pages of 5, {missing} of {len(written)} events missing, next {following}"
    return pages[-1].must(not missing and following is None, told)


@events("2 events: the create and the update", "refuse before anything is written")
def events_refused(subject: Subject) -> Seen:
    """A refused write leaves no event."""
    mark = log.end(subject)
    made = subject.make()
    refused = subject.put(made.id, None)
    if refused.ok:
        raise Unmet("it needs a refusal", Seen(refused.sent, refused.came))
    subject.change(made)
    found = log.of(subject, mark, made.id, least=2)
    told = [f"{event.get('type')} {event.get('version')}" for event in found.events]
    return found.answer.must(
        len(told) == 2, f"{', '.join(told) or 'nothing'} after a create, a refused and a taken update"
    )


def _lives(subject: Subject, mark: int, count: int) -> list[Made]:
    """So many todos that were created, changed and deleted, each in the log. Raises Unmet."""
    made = [subject.make() for _ in range(count)]
    for each in made:
        subject.change(each)
        subject.remove(each)
    least = 3 * count
    found = log.of(subject, mark, *(each.id for each in made), least=least)
    if len(found.events) < least:
        raise Unmet(f"it needs {least} events in the log, and there are {len(found.events)}", _seen(found.answer))
    return made


def _seen(answer: Answer) -> Seen:
    return Seen(answer.sent, answer.came)


def _typed(event: log.Event) -> bool:
    return (
        whole(event.get("position"), 1)
        and isinstance(event.get("stream"), str)
        and whole(event.get("version"), 1)
        and isinstance(event.get("type"), str)
        and isinstance(event.get("data"), dict)
    )


def _less(a: Any, b: Any) -> bool:
    return whole(a) and whole(b) and bool(a < b)
