"""Rules of pages: GET /todos by limit and after."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from bench.oracle.conformance.calls import figures, whole
from bench.oracle.conformance.client import Answer, Seen
from bench.oracle.conformance.rule import rule
from bench.oracle.conformance.subject import Made, Subject

DEFAULT: Final = 100
LARGEST: Final = 1000
MOST: Final = 300
"""Pages that a check reads."""
SHARE: Final = 5
"""Into so many pages a walk goes, so that `next` is followed also where there is little."""
COMPARED: Final = 8


@rule(
    '200 {"todos": [{"id", "text", "version"} …], "next": id or null}',
    "answer GET /todos with these fields, also on an empty page",
    short=True,
)
def page_fields(subject: Subject) -> Seen:
    """A page is answered with 200 and has `todos`, each with `id`, `text` and `version`, and `next`, an id or null."""
    subject.shown(subject.sample)
    answer = subject.page(limit=5)
    told = answer.field("todos")
    typed = isinstance(told, list) and all(map(_typed, told))
    named = isinstance(answer.document, dict) and "next" in answer.document
    return answer.must(
        answer.status == 200
        and typed
        and named
        and (answer.field("next") is None or isinstance(answer.field("next"), str))
    )


@rule(
    "ids that strictly increase by code points",
    'order by the id, by code points (Postgres: COLLATE "C"), and begin behind `after`',
    short=True,
)
def page_order(subject: Subject) -> Seen:
    """Ids strictly increase by code points, within a page and from page to page."""
    _some(subject, 4)
    pages = list(_walk(subject, 3, most=3))
    ids = [id for page in pages for id in _ids(page)]
    wrong = next((f"{b} after {a}" for a, b in pairwise(ids) if not a < b), "")
    return pages[-1].must(bool(ids) and not wrong, wrong and f"{wrong}; on {len(pages)} pages of 3")


@rule("at most 2 with limit=2, and at most 100 without", "cut a page at `limit`, by default at 100")
def page_limit(subject: Subject) -> Seen:
    """A page has at most `limit` todos, and 100 where no limit is said."""
    _some(subject, 3)
    by_default = subject.page()
    by_default.must(len(_ids(by_default)) <= DEFAULT, f"{len(_ids(by_default))} todos")
    answer = subject.page(limit=2)
    return answer.must(len(_ids(answer)) <= 2, f"{len(_ids(answer))} todos")


@rule("400", "refuse a limit that is no whole number from 1 to 1,000")
def page_limit_400(subject: Subject) -> Seen:
    """A `limit` of 0, of 1,001 or of letters is refused with 400."""
    for limit in ("0", "1001"):
        answer = subject.page(limit=limit)
        answer.must(answer.status == 400)
    answer = subject.page(limit="many")
    return answer.must(answer.status == 400)


@rule(
    "every todo of the check, and `next` null on the last page",
    "give as `next` the last id of a page that others follow, null where none does; `after` excludes the id itself",
)
def page_next(subject: Subject) -> Seen:
    """Following `next`, the last id of a page, leads past every active todo, and ends with null."""
    made = _some(subject, 6)
    active = figures(subject.stats()).get("activeTodos", DEFAULT)
    pages = list(_walk(subject, min(max(active // SHARE, 2), LARGEST)))
    seen = {id for page in pages for id in _ids(page)}
    missing = [each.id for each in made if each.id not in seen]
    for page in pages[:-1]:
        page.must(page.field("next") == max(_ids(page), default=None))
    ended = pages[-1].field("next") is None
    told = f"{len(pages)} pages, {len(missing)} of 6 todos missing {missing[:1]}, next {pages[-1].field('next')}"
    return pages[-1].must(ended and not missing, told)


@rule("a page without it", "leave deleted todos out of pages")
def page_deleted(subject: Subject) -> Seen:
    """A deleted todo is on no page at last."""
    made = subject.make()
    subject.shown(made)
    subject.remove(made)
    subject.settle(made, deleted=True)
    pages = list(_walk(subject, LARGEST))
    found = next((page for page in pages if made.id in _ids(page)), None)
    return (found or pages[-1]).must(found is None, f"{made.id} is on a page" if found else "it is on no page")


@rule("text and version as GET /todos/{stream} shows them", "read pages from the read model that single reads use")
def page_as_read(subject: Subject) -> Seen:
    """What a page shows of a todo is what a read of it shows."""
    for _ in range(3):
        _some(subject, 1)
        page = subject.page(limit=COMPARED)
        reads = [(todo, subject.get(str(todo.get("id")))) for todo in _todos(page)]
        # What was changed or deleted in between tells nothing.
        alike = [(todo, read) for todo, read in reads if _comparable(todo, read)]
        for todo, read in alike:
            same = (todo.get("text"), todo.get("version")) == (read.field("text"), read.field("version"))
            page.must(same, f"on the page {todo}, read alone {read.came}")
        if alike:
            return page.must(True, f"{len(alike)} todos of a page are as read alone")
    return page.must(False, f"{page.came}; none of it could be read alone")


def _comparable(todo: dict[str, Any], read: Answer) -> bool:
    version = read.field("version")
    return read.ok and whole(version) and whole(todo.get("version")) and bool(todo["version"] >= version)


def _typed(todo: Any) -> bool:
    return (
        isinstance(todo, dict)
        and isinstance(todo.get("id"), str)
        and isinstance(todo.get("text"), str)
        and whole(todo.get("version"), 1)
    )


def _some(subject: Subject, count: int) -> list[Made]:
    """So many todos, each shown."""
    made = [subject.make() for _ in range(count)]
    for each in made:
        subject.shown(each)
    return made


def _todos(page: Answer) -> list[dict[str, Any]]:
    told = page.field("todos")
    return [todo for todo in told if isinstance(todo, dict)] if isinstance(told, list) else []


def _ids(page: Answer) -> list[str]:
    return [str(todo.get("id")) for todo in _todos(page)]


def _walk(subject: Subject, limit: int, *, most: int = MOST) -> Iterator[Answer]:
    """Pages from the first on, until `next` is null, or leads back, or there are too many."""
    after: str | None = None
    for _ in range(most):
        page = subject.page(limit=limit, after=after)
        yield page
        following = page.field("next")
        if not isinstance(following, str) or following == after:
            return
        after = following
