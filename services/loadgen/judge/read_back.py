"""Read-back check: every acknowledged write is in the final read, through the HTTP contract alone.

A write whose answer was lost is indeterminate: its effect may be there or not, both are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.loadgen.contract import OutsideContract
from services.loadgen.judge.deleted import Deleted
from services.loadgen.judge.todo import Todo
from services.loadgen.paths import page_path

PAGE = 1000
PAGE_EXPECTED: Final = '{"todos": [{"id", "text", "version"}], "next"}'
NEXT_EXPECTED: Final = "a page with todos, and a next beyond the one before, in the order of code points, or null"


@dataclass(frozen=True)
class Row:
    """A todo as a client reads it."""

    version: int
    text: str


@dataclass(frozen=True)
class Fault:
    """A todo whose final read contradicts what was acknowledged. `missing` counts the acknowledged writes lost."""

    stream: str
    missing: int
    acknowledged: str
    shown: str


@dataclass(frozen=True)
class Findings:
    """How many acknowledged writes were checked, and what was wrong."""

    checked: int
    faults: list[Fault] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Acknowledged writes that the final read does not show."""
        return sum(fault.missing for fault in self.faults)


def examine(todo: Todo, row: Row | None) -> Fault | None:
    """Compare one todo with its final read; None when every acknowledged write can be seen to be in it."""
    repeated = len(todo.versions) - len(set(todo.versions))
    if repeated:
        return _fault(todo, row, repeated, "two writes were acknowledged with one version")
    if not todo.versions or _explains(todo, row):
        return None
    after = [version for version in todo.versions if row is not None and version > row.version]
    return _fault(todo, row, max(len(after), 1))


def _explains(todo: Todo, row: Row | None) -> bool:
    if row is None:
        return todo.deleted or todo.maybe_deleted
    if todo.deleted or row.version < todo.version:
        return False
    if row.version == todo.version:
        return row.text == todo.text
    return row.version - todo.version <= len(todo.maybe_texts) and row.text in todo.maybe_texts


def check(
    todos: Mapping[str, Todo],
    pages: Iterable[tuple[str, Row]] | None,
    look_up: Callable[[list[str]], Mapping[str, Row | None]],
    retired: Deleted | None = None,
) -> Findings:
    """Examine all todos, retired ones too. `pages` is a sweep over all active ones, None to look up each by itself.

    A suspect of the sweep is looked up by itself before it counts, for a page is not read in one moment. A row of
    nobody's is another client's, unless it is that of a deleted todo.
    """
    retired = Deleted() if retired is None else retired
    suspects, strangers = (list(todos), None) if pages is None else _sweep(todos, pages)
    shown = look_up(suspects)
    faults = [fault for id in suspects if (fault := examine(todos[id], shown[id]))]
    for some in _some(retired, strangers):
        shown = look_up(list(some))
        faults += [fault for id, version in some.items() if (fault := examine(_gone(id, version), shown[id]))]
    return Findings(sum(len(todo.versions) for todo in todos.values()) + retired.writes, faults)


def _sweep(todos: Mapping[str, Todo], pages: Iterable[tuple[str, Row]]) -> tuple[list[str], set[str]]:
    """The ids of the todos that the pages contradict, and those on the pages that are no todo's."""
    unseen, suspects, strangers = dict.fromkeys(todos), dict[str, None](), set[str]()
    for id, row in pages:
        if id not in todos:
            strangers.add(id)
            continue
        unseen.pop(id, None)
        if examine(todos[id], row):
            suspects[id] = None
    return [*suspects, *(id for id in unseen if examine(todos[id], None))], strangers


def _some(retired: Deleted, shown: set[str] | None) -> Iterator[dict[str, int]]:
    """Retired todos with their versions, some at a time: those that are shown, all where it is not known."""
    some: dict[str, int] = {}
    for id, version in retired:
        if shown is None or id in shown:
            some[id] = version
        if len(some) == PAGE:
            yield some
            some = {}
    if some:
        yield some


def _gone(id: str, version: int) -> Todo:
    return Todo(id, version, deleted=True, versions=list(range(1, version + 1)))


def sweep(get: Callable[[str], Any]) -> Iterator[tuple[str, Row]]:
    """All active todos by pages, in order of id. Raises OutsideContract."""
    after: str | None = None
    while True:
        path = page_path(PAGE, after)
        page = get(path)
        try:
            rows = [(_text(row["id"]), read_row(row)) for row in page["todos"]]
            following = page["next"]
        except (KeyError, TypeError):
            raise OutsideContract("GET", path, 200, page, PAGE_EXPECTED) from None
        if following is not None and not _goes_on(following, after, rows):
            raise OutsideContract("GET", path, 200, {"next": following}, NEXT_EXPECTED)
        yield from rows
        if (after := following) is None:
            return


def _goes_on(following: object, after: str | None, rows: list[tuple[str, Row]]) -> bool:
    """Whether a page leads on to another: a sweep that goes round would never end."""
    return isinstance(following, str) and bool(rows) and following > (after or "")


def sweep_is_cheaper(active: int, touched: int) -> bool:
    """True when paging through all active todos costs less than one read for each touched one.

    A page of a thousand costs a server about as much as twenty single reads.
    """
    return active / PAGE * 20 <= touched


def read_row(document: Mapping[str, Any]) -> Row:
    """The part of a todo's JSON that is checked. Raises KeyError, TypeError where it is not there."""
    version = document["version"]
    if not isinstance(version, int) or isinstance(version, bool):
        raise TypeError("version")
    return Row(version, _text(document["text"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _fault(todo: Todo, row: Row | None, missing: int, note: str = "") -> Fault:
    last = "deleted" if todo.deleted else f"text {todo.text!r}"
    said = f"version {todo.version}, {last}" + (f"; {note}" if note else "")
    return Fault(todo.id, missing, said, f"version {row.version}, text {row.text!r}" if row else _absent(todo))


def _absent(todo: Todo) -> str:
    return "not found; its delete was refused, so it was to change nothing" if todo.delete_refused else "not found"
