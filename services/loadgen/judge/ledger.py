"""Ledger of acknowledged writes: the counts to expect, and each todo's versions, texts and lost answers, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from services.loadgen.judge.deleted import Deleted
from services.loadgen.judge.todo import Todo
from settings.catalogue.load import HOTTEST
from settings.scenarios.document import Operation


@dataclass(frozen=True)
class Counts:
    """Three counts of a server: todos ever projected, active ones, events projected."""

    todos: int = 0
    active: int = 0
    events: int = 0


@dataclass(frozen=True)
class Expected:
    """The counts that a server may show when all is projected, from `low` to `high` inclusive.

    They differ only by writes whose answer was lost.
    """

    low: Counts
    high: Counts

    def admits(self, seen: Counts) -> bool:
        """True when every count lies within its bounds."""
        low, high = self.low, self.high
        return (
            low.todos <= seen.todos <= high.todos
            and low.active <= seen.active <= high.active
            and low.events <= seen.events <= high.events
        )


def hottest(skew: float, place: int, of: int) -> int:
    """How many hot todos the `place`-th `of` the run's processes has: HOTTEST in all, at least one each; none unskewed.

    A process writes to its own todos only, so each has hot ones of its own.
    """
    return max(1, len(range(place, HOTTEST, of))) if skew > 0 else 0


class Ledger:
    """All writes of this run. Not thread-safe; greenlets may share it, for no method yields.

    `entered` counts the acknowledged writes for which there must be evidence, in `todos` or in `retired`. `written_at`:
    when the one that was sent last was sent, in seconds since the epoch; None before the first.

    The first `hottest` todos that are created are the hot ones. They are never taken, so they stay active, at the
    first places of `_live`.
    """

    def __init__(self, baseline: Counts | None = None, *, hottest: int = 0) -> None:
        self.baseline = baseline or Counts()
        self._hottest = hottest
        self.todos: dict[str, Todo] = {}
        self.retired = Deleted()
        self.entered = 0
        self.acknowledged: dict[Operation, int] = {"create": 0, "update": 0, "delete": 0}
        self.lost: dict[Operation, int] = {"create": 0, "update": 0, "delete": 0}
        self.in_flight = 0
        self.written_at: float | None = None
        self._under_way: dict[str, int] = {}
        self._live: list[str] = []
        self._place: dict[str, int] = {}

    def pick(self, random: Random) -> str | None:
        """A todo that is active as far as known, left in place; None when there is none."""
        return random.choice(self._live) if self._live else None

    def pick_hot(self, random: Random) -> str | None:
        """One of the hot todos; None as long as they are not all there, or where there are to be none."""
        return self._live[random.randrange(self._hottest)] if 0 < self._hottest <= len(self._live) else None

    def take(self, random: Random) -> str | None:
        """One that is not hot, taken out so that nobody else writes to it from now on; None when there is none."""
        others = len(self._live) - self._hottest
        if others <= 0:
            return None
        todo = self._live[self._hottest + random.randrange(others)]
        self._remove(todo)
        return todo

    def begin(self, id: str | None) -> None:
        """A write is about to be sent; a new todo has no id yet."""
        self.in_flight += 1
        if id is not None:
            self._under_way[id] = self._under_way.get(id, 0) + 1

    def end(self, id: str | None) -> None:
        """What became of it is entered. With the last write under way a todo that is deleted is retired."""
        self.in_flight -= 1
        if id is None:
            return
        self._under_way[id] -= 1
        if not self._under_way[id]:
            del self._under_way[id]
            if (todo := self.todos.get(id)) is not None and todo.settled:
                self.retire(id)

    def retire(self, id: str) -> None:
        """Pack a deleted todo to which nobody writes any more: no answer that is still to come can speak of it."""
        if self.retired.add(id, self.todos[id].version):
            del self.todos[id]

    def created(self, id: str, version: int, text: str) -> None:
        """A create was acknowledged: the todo may be picked from now on."""
        self._acknowledge("create")
        self._todo(id).acknowledge(version, text)
        self._place[id] = len(self._live)
        self._live.append(id)

    def updated(self, id: str, version: int, text: str) -> None:
        """An update was acknowledged."""
        self._acknowledge("update")
        self._todo(id).acknowledge(version, text)

    def deleted(self, id: str, version: int) -> None:
        """A delete was acknowledged."""
        self._acknowledge("delete")
        self._todo(id).acknowledge(version, "", deleted=True)
        self._remove(id)

    def unanswered(self, operation: Operation, id: str | None, text: str) -> None:
        """The answer of a write was lost. A lost create has no id: it only widens the expected counts."""
        self.lost[operation] += 1
        if id is not None:
            self._todo(id).doubt(text, deleted=operation == "delete")

    def refused(self, operation: Operation, id: str | None) -> None:
        """A write was refused, so no count moves. That it was a delete is kept, for a todo that is not shown then."""
        if operation == "delete" and id is not None and (todo := self.todos.get(id)) is not None:
            todo.delete_refused = True

    def sent(self, at: float | None) -> None:
        """A write was acknowledged that had been sent then; None is no moment."""
        if at is not None:
            self.written_at = max(at, self.written_at or 0.0)

    def adopt(self, todos: Iterable[Todo], *, lost_updates: int) -> None:
        """Take over updates that another process of this run wrote to todos of its own.

        The first version of each belongs to the baseline and is not counted again.
        """
        for todo in todos:
            self.todos[todo.id] = todo
            self.acknowledged["update"] += len(todo.versions) - 1
            self.entered += len(todo.versions)
        self.lost["update"] += lost_updates

    def expected(self) -> Expected:
        """The counts to expect once everything acknowledged so far is projected."""
        base, done, lost = self.baseline, self.acknowledged, self.lost
        active = base.active + done["create"] - done["delete"]
        events = base.events + sum(done.values())
        todos = base.todos + done["create"]
        return Expected(
            low=Counts(todos, active - lost["delete"], events),
            high=Counts(todos + lost["create"], active + lost["create"], events + sum(lost.values())),
        )

    @property
    def expected_active(self) -> int:
        """Active todos by acknowledged writes alone."""
        return self.baseline.active + self.acknowledged["create"] - self.acknowledged["delete"]

    def summary(self) -> dict[str, int]:
        """How many writes were acknowledged, and how many are indeterminate."""
        done = self.acknowledged
        return {
            "creates": done["create"],
            "updates": done["update"],
            "deletes": done["delete"],
            "indeterminate": sum(self.lost.values()),
        }

    def _acknowledge(self, operation: Operation) -> None:
        self.acknowledged[operation] += 1
        self.entered += 1

    def _todo(self, id: str) -> Todo:
        todo = self.todos.get(id)
        if todo is None:
            todo = self.todos[id] = Todo(id)
        return todo

    def _remove(self, id: str) -> None:
        place = self._place.pop(id, None)
        if place is None:
            return
        last = self._live.pop()
        if last != id:
            self._live[place] = last
            self._place[last] = place
