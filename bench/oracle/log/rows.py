"""Judgment of one row against the state that its events make. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bench.oracle.log.contract import Todo
from bench.oracle.log.streams import State, digest
from bench.oracle.refold import Findings


@dataclass(frozen=True, slots=True)
class Claims:
    """What is claimed of the run and of the target.

    `upto`: all events up to this position are projected; 0 claims nothing. `applied`: rows tell how many took effect.
    `whole`: all committed events stand in the log that was read. Where they do not, nothing is said of a row that the
    missing end of the log could explain.
    """

    upto: int
    applied: bool
    whole: bool = True

    def projected(self, state: State) -> bool:
        """Whether the stream's last event has to be in its row."""
        return 0 < state.position <= self.upto


def sound(row: Todo, state: State | None, claims: Claims) -> bool:
    """True when the row is just what all of its stream's events make it."""
    if state is None or state.deleted or row.version != state.version or digest(row.text) != state.digest:
        return False
    return not claims.applied or row.applied == row.version


def judge(id: str, state: State | None, row: Todo | None, text: str | None, claims: Claims, findings: Findings) -> None:
    """Add what is wrong with a todo. `text` is what its events had set at the row's version, None where unknown."""
    if state is None:
        if row is not None and claims.whole:
            findings.phantom += 1
            findings.note(f"phantom: todo {id} has no events")
    elif row is not None:
        _judge_row(state, row, text, claims, findings)
    elif not state.deleted and claims.whole:
        _judge_missing(id, state, claims, findings)


def _judge_missing(id: str, state: State, claims: Claims, findings: Findings) -> None:
    if not claims.projected(state):
        findings.unprojected += state.version
        return
    findings.lost += state.version
    findings.mismatched_rows += 1
    findings.note(f"lost: todo {id} is missing; its events make it version {state.version}")


def _judge_row(state: State, row: Todo, text: str | None, claims: Claims, findings: Findings) -> None:
    wrong = ""
    behind = state.version - row.version
    if behind < 0 and not claims.whole:
        # What made the row is not in the log that was read: its text can not be held against anything.
        text = None
    elif behind < 0:
        findings.phantom -= behind
        wrong = f"phantom: todo {row.id} is at version {row.version}, its events end at {state.version}"
    elif behind and claims.projected(state):
        findings.lost += behind
        wrong = f"lost: todo {row.id} is at version {row.version}, its events make it {state.version}"
    elif behind:
        findings.unprojected += behind
    elif state.deleted:
        wrong = f"mismatched: todo {row.id} is shown, and version {state.version} deleted it"
    if not wrong and text is not None and text != row.text:
        wrong = f"mismatched: todo {row.id} has text {row.text!r}, its events make it {text!r}"
    if wrong:
        findings.mismatched_rows += 1
        findings.note(wrong)
    if claims.applied and row.applied is not None:
        _judge_applied(state, row, row.applied, claims, findings)


def _judge_applied(state: State, row: Todo, applied: int, claims: Claims, findings: Findings) -> None:
    """Hold the row's count of effects against its version."""
    told = f"{applied} events took effect in todo {row.id}, which is at version {row.version}"
    more = applied - max(row.version, state.version if claims.projected(state) else 0)
    if more > 0:
        findings.duplicated += more
        findings.note(f"duplicated: {told}")
    elif applied < row.version:
        findings.lost += row.version - applied
        findings.note(f"lost: {told}")
