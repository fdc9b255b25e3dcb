"""Leases in hand, as work: how much of it goes into one batch, and when it is given up for now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from eventstore.errors import StoreBusy
from projection.leases.contract import Lease


@dataclass(frozen=True, slots=True)
class Work:
    """A lease in hand: apply it up to version `upto`, not before `ready_at` (the handler's artificial cost).

    `refused`: how often in a row something that passes, as a lock, kept it from being applied.
    """

    lease: Lease
    upto: int
    ready_at: float
    refused: int = 0

    @property
    def events(self) -> int:
        """How many events there were to apply when the lease was claimed."""
        return min(self.upto, self.lease.version) - self.lease.projected


@dataclass(slots=True)
class Attempt:
    """What a step has met so far. After `most_refusals` by locks and limits it is not one stream: it gives up.

    `smaller`: a batch met a limit, and what is left waits for the next step, in smaller ones.
    """

    most_refusals: int
    error: StoreBusy | None = None
    refusals: int = 0
    smaller: bool = False

    @property
    def given_up(self) -> bool:
        """True when what is left is put off untried."""
        return self.refusals > self.most_refusals

    def refused(self, error: Exception) -> None:
        """Something that passes undid a statement: take note. Raises anything else."""
        if not isinstance(error, StoreBusy):
            raise error
        self.error = error
        self.refusals += 1


def size_of(works: Iterable[Work]) -> int:
    """How many events a batch of these works looks at."""
    return sum(work.events for work in works)


def portions(works: Sequence[Work], most: int) -> Iterator[list[Work]]:
    """The works in turn, in lists of some `most` events: a statement must be done long before it times out.

    Works that were refused go last, the most refused at the end, and alone, so that they hold up no others.
    """
    portion: list[Work] = []
    events = 0
    for work in works:
        if work.refused:
            continue
        portion.append(_cut(work, most))
        events += portion[-1].events
        if events >= most:
            yield portion
            portion, events = [], 0
    if portion:
        yield portion
    refused = sorted((work for work in works if work.refused), key=lambda work: work.refused)
    yield from ([_cut(work, most)] for work in refused)


def _cut(work: Work, most: int) -> Work:
    return replace(work, upto=work.lease.projected + most) if work.events > most else work
