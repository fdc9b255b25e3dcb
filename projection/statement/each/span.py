"""Guard of a per-event batch: a stream's events apply only as version = checkpoint + 1, + 2 … without a hole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from projection.read_model import Event


@dataclass(slots=True)
class Span:
    """A stream in hand: its lease's epoch, its checkpoint, and the events that follow, by version."""

    stream: str
    epoch: int
    projected: int
    former: str | None = None
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cause:
    """From which version on a stream can not be applied, and why."""

    span: Span
    version: int
    reason: str


Guard = Callable[[Span], int | None]
"""The version that is missing between a stream's checkpoint and its last event, None where there is no hole."""


def missing(span: Span) -> int | None:
    """The first version that is missing; of a stream without any event the one after its checkpoint."""
    expected = span.projected + 1
    for event in span.events:
        if event.version != expected:
            return expected
        expected += 1
    return None if span.events else expected


def judged(spans: Iterable[Span], guard: Guard) -> tuple[list[Span], list[Cause]]:
    """The spans without a hole, and what is the matter with the others."""
    whole, causes = [], []
    for span in spans:
        version = guard(span)
        if version is None:
            whole.append(span)
        else:
            causes.append(Cause(span, version, f"events are missing after version {version - 1}"))
    return whole, causes
