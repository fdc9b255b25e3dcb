"""The system under test as a check meets it: todos of the check's own, and waiting that ends.

It is lenient where a check is about something else: a write counts as taken by any 2xx, and versions are counted here,
so that one broken rule does not break the checks of others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bench.oracle.conformance.calls import Calls, figures, id_of
from bench.oracle.conformance.client import Answer, Client, NoAnswer, Seen

FIRST_PAUSE_S: Final = 0.001
LONGEST_PAUSE_S: Final = 0.05
LEAST_PATIENCE_S: Final = 0.2
STILL_S: Final = 3.0
"""For so long no figure has moved, so none will: longer than any projector pauses between two looks."""
AT_A_TIME: Final = 8


class Unmet(Exception):
    """What the check needs did not work, so it can not tell."""

    def __init__(self, why: str, seen: Seen | None = None) -> None:
        self.seen = Seen(seen.sent if seen else "", f"{why}{f': {seen.came}' if seen else ''}")
        super().__init__(why)


@dataclass
class Made:
    """A todo of the suite; `version` counts the writes that were taken."""

    id: str
    text: str
    version: int = 1


class Subject(Calls):
    """Todos and waiting, from many threads. Each wait that was in vain halves the patience of the next.

    `mark` is a position of the log before the suite's events, once somebody has looked. `slack_s` is what the handler's
    artificial cost may add to a wait: that of all events of the suite, one after another.
    """

    def __init__(self, client: Client, patience_s: float, deadline: float, slack_s: float = 0.0) -> None:
        super().__init__(client)
        self.slack_s: Final = slack_s
        self.deadline = deadline
        self.mark: int | None = None
        self._patience_s = patience_s + slack_s
        self._still_s: Final = min(STILL_S, patience_s) + slack_s

    def make(self, text: str | None = None) -> Made:
        """Create a todo by any 2xx with a stream. Raises Unmet."""
        text = text or self.text()
        answer = self.post(text)
        id = id_of(answer) if answer.ok else ""
        if not id:
            raise Unmet("it needs a todo", Seen(answer.sent, answer.came))
        return Made(id, text)

    def change(self, made: Made, text: str | None = None) -> Answer:
        """Update it. Raises Unmet where that is refused."""
        text = text or self.text()
        answer = self.put(made.id, text)
        if not answer.ok:
            raise Unmet("it needs an update", Seen(answer.sent, answer.came))
        made.text, made.version = text, made.version + 1
        return answer

    def remove(self, made: Made) -> Answer:
        """Delete it. Raises Unmet where that is refused."""
        answer = self.delete(made.id)
        if not answer.ok:
            raise Unmet("it needs a delete", Seen(answer.sent, answer.came))
        made.version += 1
        return answer

    def life(self) -> Iterator[tuple[Made, str]]:
        """A todo right after its create, its update and its delete, each with its words. Raises Unmet."""
        made = self.make()
        yield made, "a create"
        self.change(made)
        yield made, "an update"
        self.remove(made)
        yield made, "a delete"

    def at_last(self, ask: Callable[[], Answer], holds: Callable[[Answer], bool]) -> Answer:
        """Ask again and again until it holds, or patience is over: the last answer."""
        ends = min(time.monotonic() + self._patience_s, self.deadline)
        pause = FIRST_PAUSE_S
        while True:
            answer = ask()
            if holds(answer):
                return answer
            if time.monotonic() >= ends:
                self._patience_s = max(self._patience_s / 2, min(LEAST_PATIENCE_S, self._patience_s))
                return answer
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def shown(self, made: Made) -> Answer:
        """The todo as soon as a read shows it, in whatever version. Raises Unmet."""
        answer = self.at_last(lambda: self.get(made.id), lambda answer: answer.ok)
        if not answer.ok:
            raise Unmet("it needs a todo that a read shows", Seen(answer.sent, answer.came))
        return answer

    @cached_property
    def sample(self) -> Made:
        """A todo that a read shows, for checks that only look. Raises Unmet."""
        made = self.make()
        self.shown(made)
        return made

    def written(self, made: Made) -> Answer:
        """The todo as soon as a read shows its last text, in whatever version. Raises Unmet."""
        answer = self.at_last(lambda: self.get(made.id), lambda answer: answer.field("text") == made.text)
        if answer.field("text") != made.text:
            raise Unmet("it needs an update that a read shows", Seen(answer.sent, answer.came))
        return answer

    def settle(self, made: Made, *, deleted: bool = False) -> None:
        """Wait until a read shows the last write of the todo, and nothing is left to project; go on all the same."""
        self.at_last(
            lambda: self.get(made.id),
            lambda answer: answer.status == 404 if deleted else answer.field("version") == made.version,
        )
        self.quiet()

    def quiet(self) -> None:
        """Wait until nothing is left to project, or nothing moves any more, as where an event was lost."""
        moved, last = time.monotonic(), self.stats()
        while last.field("backlog") not in (0, None) and time.monotonic() < self.deadline:
            time.sleep(LONGEST_PAUSE_S)
            told = self.stats()
            if figures(told) != figures(last):
                moved = time.monotonic()
            elif time.monotonic() - moved >= self._still_s:
                return
            last = told

    def together(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
        """Make calls at the same moment. Raises NoAnswer."""
        with ThreadPoolExecutor(AT_A_TIME) as lanes:
            return [future.result() for future in [lanes.submit(call) for call in calls]]

    def clean(self) -> None:
        """Delete the todos that are left, as far as that goes."""

        def gone(id: str) -> None:
            if time.monotonic() < self.deadline and not self.client.silent:
                try:
                    self.delete(id)
                except NoAnswer:
                    return

        with ThreadPoolExecutor(AT_A_TIME) as lanes:
            list(lanes.map(gone, list(self.left)))
