"""Ordering strategy: in which order events take effect, and what keeps two projectors off the same work.

All apply events by the same batches (`projection.statement`) and end with the same rows. A strategy is a module, a file
of `projection/ordering` or somebody else's, with four names:

* `MAKE`: what is called with `Tools` and returns an `OrderingStrategy`;
* `SERIAL`: True when one projector at a time works, in the order of the log. It claims the cursor then, and its batches
  are of shape `GLOBAL_ORDER`;
* `COSTLY_HANDLER`: True when a handler may cost time (`Tools.events_at_once`);
* `LEASES`: True when it holds leases between its statements, which drills look for before they strike.

The last three are literals, since they are read from the source by whoever must not import it (`settings.strategies`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from eventstore.connection.database import Database
from projection.hooks import Hook, no_hook
from projection.settings import ProjectionSettings
from projection.statement.handler import Handler

LONGEST_WAIT_S: Final = 0.1
"""With an artificial handler cost, as many events share a transaction as their waits fit in here."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. `more` says that work is left; `wait` when the next piece is ready, in seconds.

    `quiet`: it found nothing, and nothing will be there before `wait`, if that is given, unless somebody calls.
    """

    events: int = 0
    more: bool = False
    wait: float | None = None
    quiet: bool = False


class OrderingStrategy(Protocol):
    """One way to work. `renew` and `release` may be called as soon as it is made, before any `prepare`."""

    async def prepare(self) -> None:
        """Make ready, also after the store was away: nothing is held any more."""
        ...

    async def step(self) -> Step:
        """Take what work there is, and do it. Raises StoreUnavailable.

        After StoreBusy nothing is lost that was in hand, and the next step may be tried without `prepare`.
        """
        ...

    async def renew(self) -> None:
        """Prolong what is held, if anything is. Called from another task than `step`."""
        ...

    async def release(self) -> None:
        """Give back what is held, if anything is."""
        ...

    async def exhausted(self) -> bool:
        """True when nothing is left that this projector could ever do without an operator or a new event."""
        ...


@dataclass(slots=True)
class Counts:
    """What a projector counts for itself. `fenced`: leases that it found lost, when it came to write or to renew."""

    fenced: int = 0


@dataclass(frozen=True)
class Tools:
    """What every strategy works with.

    `slot` is the tally row of this process; `handler` applies events; a `job` ends when nothing is left.
    """

    database: Database
    settings: ProjectionSettings
    slot: int
    handler: Handler
    hook: Hook = no_hook
    job: bool = False
    counts: Counts = field(default_factory=Counts)

    def events_at_once(self, most: int) -> int:
        """How many events may share a transaction."""
        latency = self.settings.handler_latency
        return most if latency == 0 else max(1, min(most, int(LONGEST_WAIT_S / latency)))
