"""Proof over HTTP: read the log to its end and all pages, hold each row against its events, and look twice at suspects.

A page is not read in one moment, so a row that is not as it should be is read again by itself before it counts, and
the log is read on to its end after that. Rows are settled where the run claims that all was projected.

A log may end before committed events while a writer that began before them is under way (`targets/CONTRACT.md`). What
`/stats` counts beyond its end is waited for; then that much is not proven, and only what the rest of the log proves is
a fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from bench.ends.errors import RunFailed
from bench.oracle.log.contract import Contract, Stats, Todo
from bench.oracle.log.fold import Fold, text_of
from bench.oracle.log.rows import Claims, judge, sound
from metrics.records.result import Correctness
from metrics.records.sections.target import UNSEEN
from metrics.records.verification import Verification

TOLD_EVERY_S: Final = 2.0
LATE_S: Final = 10.0
"""For how long events that `/stats` counts are waited for: a log that is read in order stops before an open writer."""

SPARE: Final = 100_000
"""Entries beyond twice what is counted, after which pages are held to have no end."""

LOOK_S: Final = 0.1
"""Between two looks for them."""

AGAIN: Final = 10_000
"""Suspects that are read again by themselves; all others are judged by what a page showed."""

WITHOUT_APPLIED: Final = (
    "an event that took effect twice, or was passed over before a later one: the target does not tell `applied`"
)
INCOMPLETE: Final = "events after a row's version that were passed over: the run did not converge, so they may come"
UNLISTED: Final = "acknowledged writes that the log lacks: the load generator left no list of them"
HELD_BACK: Final = "what {} events did that /stats counts and the log does not tell: a writer may be under way"

Told = Callable[[str], None]
"""Told now and then, in words, how far it is."""

Acknowledged = Iterable[tuple[str, int]]
"""Streams, each with the highest version that was acknowledged."""


def verify_log(
    base_url: str,
    *,
    complete: bool,
    applied: bool,
    told: Told = lambda _: None,
    acknowledged: Acknowledged | None = None,
) -> Verification:
    """Check what a target at `base_url` shows against its own log. Raises RunFailed with the call that failed.

    And where nothing is wrong but that the log ends before events that `/stats` counts: that proves nothing complete.
    `complete` claims that nothing is left to project, `applied` that rows tell how many events took effect in them.
    `acknowledged` is what the load generator has (`bench.oracle.log.acknowledged`), None where it left nothing.
    Nobody may write meanwhile. Memory is bounded by the number of streams (`bench.oracle.log.streams`).
    """
    started = time.monotonic()
    proof = _Proof(Contract(base_url), Progress(told), applied=applied)
    proof.run(complete=complete, acknowledged=acknowledged or ())
    findings, listed = proof.fold.findings, acknowledged is not None
    return Verification(
        correctness=Correctness(
            events_checked=findings.events,
            lost=findings.lost,
            # Without `applied` a second effect shows nowhere; a version that stands in the log twice does.
            duplicated=findings.duplicated if applied or findings.duplicated else None,
            reordered=findings.reordered,
            phantom=findings.phantom,
            mismatched_rows=findings.mismatched_rows,
        ),
        unprojected=findings.unprojected,
        offenders=findings.offenders,
        seconds=time.monotonic() - started,
        level="log",
        not_seen=not_seen(complete=complete, applied=applied, acknowledged=listed, untold=proof.untold),
    )


def not_seen(*, complete: bool, applied: bool, acknowledged: bool, untold: int = 0) -> str:
    """What this level can not see, in words."""
    held_back = HELD_BACK.format(f"{untold:,}")
    lacking = {held_back: not untold, WITHOUT_APPLIED: applied, INCOMPLETE: complete, UNLISTED: acknowledged}
    return "; ".join([*(words for words, there in lacking.items() if not there), UNSEEN["log"]])


@dataclass
class Progress:
    """Says how far it is, every few seconds."""

    told: Told
    next_at: float = field(default_factory=lambda: time.monotonic() + TOLD_EVERY_S)

    def __call__(self, line: str, *numbers: int) -> None:
        """Say the line with its numbers, unless one was said just now."""
        if time.monotonic() >= self.next_at:
            self.told(line.format(*numbers))
            self.next_at = time.monotonic() + TOLD_EVERY_S


class _Proof:
    """One reading of a target. `untold`: events that it counts, and its log does not tell."""

    def __init__(self, contract: Contract, progress: Progress, *, applied: bool) -> None:
        self._contract = contract
        self._progress = progress
        self._applied = applied
        self.fold = Fold()
        self.untold = 0
        self._most = SPARE

    def run(self, *, complete: bool, acknowledged: Acknowledged) -> None:
        before = self._contract.stats()
        self._read_log(before.event_count)
        claims = Claims(self.fold.position if complete else 0, self._applied)
        shown, rows = self._sweep(claims)
        rows = self._look_again(rows)
        # What a row shows was counted before: a log that has all that is counted now has whatever made the rows.
        now = self._contract.stats()
        self._read_log(now.event_count)
        self.untold = self.fold.untold(now.event_count)
        self._judge(rows, replace(claims, whole=not self.untold))
        self.fold.end()
        self._hold_counts(before, shown, complete=complete)
        if not self.untold:
            self._hold_acknowledged(acknowledged)
        elif complete and not self.fold.findings.faults:
            raise RunFailed(
                f"GET /events: the log ends {self.untold} events before what /stats counts, for {LATE_S:g} s: a writer "
                f"may be under way, or the log does not tell them, so nothing is proven; end what writes beside the run"
            )

    def _read_log(self, wanted: int) -> None:
        """On from where it was read to, until it has as many events as `/stats` told, or `LATE_S` are over."""
        fold, until = self.fold, time.monotonic() + LATE_S
        self._most = max(self._most, 2 * wanted + SPARE)
        while True:
            for event in self._contract.events(fold.position, self._most - fold.findings.events):
                fold.add(event)
                self._progress("folding the log: {:,} of {:,} events", fold.findings.events, wanted)
            if fold.findings.events >= wanted or time.monotonic() > until:
                return
            time.sleep(LOOK_S)

    def _sweep(self, claims: Claims) -> tuple[int, dict[str, Todo | None]]:
        """How many rows the pages show, and the suspects: rows that are not as they should be, and None for missing."""
        streams, shown = self.fold.streams, 0
        suspects: dict[str, Todo | None] = {}
        for row in self._contract.todos(self._most):
            shown += 1
            if self._applied and row.applied is None:
                raise RunFailed(f"GET /todos: todo {row.id} has no `applied`, which the target declares")
            state = streams[row.id]
            if state is not None and sound(row, state, claims):
                streams[row.id] = state._replace(seen=True)
            else:
                suspects[row.id] = row
            self._progress("holding rows against the log: {:,} of {:,} todos", shown, len(streams))
        for name, state in streams:
            if not (state.deleted or state.seen or name in suspects):
                suspects[name] = None
        return shown, suspects

    def _look_again(self, suspects: Mapping[str, Todo | None]) -> dict[str, Todo | None]:
        rows = dict(suspects)
        for number, id in enumerate(list(rows)[:AGAIN], start=1):
            rows[id] = self._contract.todo(id)
            self._progress("reading suspects again: {:,} of {:,}", number, len(rows))
        return rows

    def _judge(self, rows: Mapping[str, Todo | None], claims: Claims) -> None:
        texts = self._texts({id: row.version for id, row in rows.items() if row is not None})
        for id, row in rows.items():
            if id not in self.fold.broken:
                judge(id, self.fold.streams[id], row, texts.get(id), claims, self.fold.findings)

    def _texts(self, versions: Mapping[str, int]) -> dict[str, str]:
        """What the log had set as the text of some streams at a version: read again, as no text was kept."""
        found: dict[str, str] = {}
        reached: dict[str, int] = {}
        if not versions:
            return found
        for event in self._contract.events(0, self._most):
            wanted = versions.get(event.stream, 0)
            text = text_of(event.data)
            if text is not None and reached.get(event.stream, 0) < event.version <= wanted:
                found[event.stream], reached[event.stream] = text, event.version
            self._progress("looking for texts in the log: position {:,}", event.position)
        return found

    def _hold_counts(self, before: Stats, shown: int, *, complete: bool) -> None:
        """What `/stats` counts, against what was read; left out where it moved meanwhile, as others write."""
        if self._contract.stats() != before:
            return
        findings = self.fold.findings
        counted: dict[str, tuple[int, int, str]] = {}
        if not self.untold:
            counted["eventCount"] = (before.event_count, findings.events, "the log has")
        if complete:
            counted["activeTodos"] = (before.active_todos, shown, "pages show")
        for name, (told, real, where) in counted.items():
            if told != real:
                findings.mismatched_rows += 1
                findings.note(f"mismatched: {name} says {told}, {where} {real}")

    def _hold_acknowledged(self, acknowledged: Acknowledged) -> None:
        """Each acknowledged version has to be in the log; those below its last one are, or were found missing."""
        findings = self.fold.findings
        for stream, version in acknowledged:
            state = self.fold.streams[stream]
            last = state.version if state is not None else 0
            if version > last:
                findings.lost += version - last
                findings.note(f"lost: version {version} of {stream} was acknowledged, and the log ends at {last}")
            self._progress("looking for acknowledged writes in the log")
