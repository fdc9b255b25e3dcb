"""What a worker's users do, as entries that the master repeats in its own books, in the order in which they happened.

So the master has every request and every acknowledged write, and judges as if its own users had made them: nothing is
averaged, and the oracle sees all todos. A worker's users write to its own todos only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from services.loadgen.judge.ledger import Counts, Ledger
from services.loadgen.judge.stats import Facts
from services.loadgen.measure.endpoints import Endpoints
from services.loadgen.measure.recorder import Kind, Outcome, Recorder
from services.loadgen.workload.run import Run
from settings.scenarios.document import Operation

Entry = Sequence[Any]


class Diary:
    """A worker's entries since the last `take`."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def note(self, *entry: Any) -> None:
        """Write one entry down; its first word is a name in `ENTER`."""
        self._entries.append(entry)

    def take(self) -> list[Entry]:
        """All entries that were not taken yet."""
        entries, self._entries = self._entries, []
        return entries


class DiaryLedger(Ledger):
    """A worker's ledger, from which its users pick todos. The master is told of every write."""

    def __init__(self, diary: Diary) -> None:
        super().__init__()
        self._diary = diary

    def created(self, id: str, version: int, text: str) -> None:
        """A create was acknowledged."""
        super().created(id, version, text)
        self._diary.note("created", id, version, text)

    def updated(self, id: str, version: int, text: str) -> None:
        """An update was acknowledged."""
        super().updated(id, version, text)
        self._diary.note("updated", id, version, text)

    def deleted(self, id: str, version: int) -> None:
        """A delete was acknowledged."""
        super().deleted(id, version)
        self._diary.note("deleted", id, version)

    def unanswered(self, operation: Operation, id: str | None, text: str) -> None:
        """The answer of a write was lost."""
        super().unanswered(operation, id, text)
        self._diary.note("unanswered", operation, id, text)


class DiaryRecorder(Recorder):
    """A worker's recorder: it keeps nothing itself."""

    def __init__(self, diary: Diary) -> None:
        super().__init__()
        self._diary = diary

    def request(self, kind: Kind, outcome: Outcome, seconds: float, *, measured: bool) -> None:
        """A request has finished."""
        self._diary.note("request", kind, outcome, seconds, measured)


class DiaryEndpoints(Endpoints):
    """The same for what is told of each endpoint."""

    def __init__(self, diary: Diary) -> None:
        super().__init__()
        self._diary = diary

    def note(self, endpoint: str, outcome: Outcome, seconds: float, status: int, why: str = "") -> None:
        """A request has finished."""
        self._diary.note("endpoint", endpoint, outcome, seconds, status, why)


class DiaryWatch:
    """What a worker's readers see in the convergence phase."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary

    def note(self, reader: int, facts: Facts) -> None:
        """A reader saw these facts; who the projectors are is no part of the judgement."""
        self._diary.note("seen", reader, asdict(replace(facts, projectors=())))


def _request(run: Run, kind: Kind, outcome: Outcome, seconds: float, measured: bool) -> None:
    run.recorder.request(kind, outcome, seconds, measured=measured)


def _seen(run: Run, reader: int, document: dict[str, Any]) -> None:
    if run.watch is not None:
        counts = Counts(**document["counts"])
        run.watch.note(reader, Facts(**{**document, "counts": counts, "projectors": ()}))


ENTER: Final[dict[str, Callable[..., None]]] = {
    "created": lambda run, *entry: run.ledger.created(*entry),
    "updated": lambda run, *entry: run.ledger.updated(*entry),
    "deleted": lambda run, *entry: run.ledger.deleted(*entry),
    "unanswered": lambda run, *entry: run.ledger.unanswered(*entry),
    "endpoint": lambda run, *entry: run.endpoints.note(*entry),
    "request": _request,
    "seen": _seen,
}


def enter(run: Run, entries: Sequence[Entry]) -> None:
    """Repeat a worker's entries in the master's run."""
    for name, *values in entries:
        ENTER[name](run, *values)
