"""Journal of a worker: what its users did, as entries that the master replays in the order in which they happened.

So the master has every request and every acknowledged write, and judges as if its own users had made them: nothing is
averaged, and the read-back sees all todos. A worker's users write to its own todos only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from services.loadgen.judge.ledger import Counts, Ledger
from services.loadgen.judge.stats import Stats
from services.loadgen.measure.endpoints import Endpoints
from services.loadgen.measure.recorder import Kind, Outcome, Recorder
from services.loadgen.workload.run import Run
from settings.scenarios.document import Operation

Entry = Sequence[Any]


class Journal:
    """Entries since the last `take`."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def note(self, *entry: Any) -> None:
        """Write one entry down; its first word is a name in `REPLAYED`."""
        self._entries.append(entry)

    def take(self) -> list[Entry]:
        """All entries that were not taken yet."""
        entries, self._entries = self._entries, []
        return entries


class JournalledLedger(Ledger):
    """A worker's ledger, from which its users pick todos. The master is told of every write."""

    def __init__(self, journal: Journal, *, hottest: int = 0) -> None:
        super().__init__(hottest=hottest)
        self._journal = journal

    def created(self, id: str, version: int, text: str) -> None:
        """A create was acknowledged."""
        super().created(id, version, text)
        self._journal.note("created", id, version, text)

    def updated(self, id: str, version: int, text: str) -> None:
        """An update was acknowledged."""
        super().updated(id, version, text)
        self._journal.note("updated", id, version, text)

    def deleted(self, id: str, version: int) -> None:
        """A delete was acknowledged."""
        super().deleted(id, version)
        self._journal.note("deleted", id, version)

    def retire(self, id: str) -> None:
        """A todo is deleted and nobody writes to it any more: the master keeps what is left of it."""
        del self.todos[id]
        self._journal.note("retire", id)

    def unanswered(self, operation: Operation, id: str | None, text: str) -> None:
        """The answer of a write was lost."""
        super().unanswered(operation, id, text)
        self._journal.note("unanswered", operation, id, text)


class JournalledRecorder(Recorder):
    """A worker's recorder: it keeps nothing itself."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def request(self, kind: Kind, outcome: Outcome, seconds: float, *, measured: bool) -> None:
        """A request has finished."""
        self._journal.note("request", kind, outcome, seconds, measured)

    def unserved(self, kind: Kind, seconds: float, count: int = 1) -> None:
        """Requests that were due were never sent."""
        self._journal.note("unserved", kind, seconds, count)


class JournalledEndpoints(Endpoints):
    """The same for what is told of each endpoint."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def note(self, endpoint: str, outcome: Outcome, seconds: float, status: int, why: str = "") -> None:
        """A request has finished."""
        self._journal.note("endpoint", endpoint, outcome, seconds, status, why)


class JournalledWatch:
    """What a worker's readers see in the convergence phase."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def note(self, reader: int, stats: Stats, asked_at: float) -> None:
        """A reader saw these stats; who the projectors are is no part of the judgement."""
        self._journal.note("seen", reader, asdict(replace(stats, projectors=())), asked_at)


def _request(run: Run, kind: Kind, outcome: Outcome, seconds: float, measured: bool) -> None:
    run.recorder.request(kind, outcome, seconds, measured=measured)


def _seen(run: Run, reader: int, document: dict[str, Any], asked_at: float) -> None:
    if run.watch is not None:
        counts = Counts(**document["counts"])
        # The clock of another machine says nothing here.
        comparable_at = asked_at if run.settings.listen is None else 0.0
        run.watch.note(reader, Stats(**{**document, "counts": counts, "projectors": ()}), comparable_at)


REPLAYED: Final[dict[str, Callable[..., None]]] = {
    "created": lambda run, *entry: run.ledger.created(*entry),
    "updated": lambda run, *entry: run.ledger.updated(*entry),
    "deleted": lambda run, *entry: run.ledger.deleted(*entry),
    "retire": lambda run, *entry: run.ledger.retire(*entry),
    "unanswered": lambda run, *entry: run.ledger.unanswered(*entry),
    "endpoint": lambda run, *entry: run.endpoints.note(*entry),
    "request": _request,
    "unserved": lambda run, *entry: run.recorder.unserved(*entry),
    "seen": _seen,
}


def replay(run: Run, entries: Sequence[Entry]) -> None:
    """Repeat a worker's entries, oldest first, in the ledger, the recorder and the watch of the master's run."""
    for name, *values in entries:
        REPLAYED[name](run, *values)
