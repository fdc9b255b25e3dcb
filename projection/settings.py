"""What a projection is told, whatever process it runs in: a protocol that `services.projector.settings` satisfies.

Times are in seconds unless they are a timedelta; all bounds are positive.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from eventstore.visibility.safe_position import Visibility


class ProjectionSettings(Protocol):
    """Read once, at the start; an implementation is immutable."""

    @property
    def name(self) -> str:
        """The holder of leases, unique among running projectors."""
        ...

    @property
    def mode(self) -> str:
        """`serial` or `parallel`."""
        ...

    @property
    def strategy(self) -> str:
        """The ordering strategy: see `settings.strategies`."""
        ...

    @property
    def handler(self) -> str:
        """The event handler: see `HANDLER`."""
        ...

    @property
    def read_models(self) -> tuple[str, ...]:
        """The read models that it keeps."""
        ...

    @property
    def handler_latency(self) -> float:
        """An artificial cost, paid for each event before its effect."""
        ...

    @property
    def streams_in_flight(self) -> int:
        """How many streams it works on at once."""
        ...

    @property
    def events_per_stream(self) -> int:
        """How many events of one stream share a transaction; by locks with `HANDLER=each` as many as of all streams."""
        ...

    @property
    def events_per_batch(self) -> int:
        """How many events share a transaction."""
        ...

    @property
    def events_per_window(self) -> int:
        """How many events of the log share a transaction in the global order."""
        ...

    @property
    def lease(self) -> timedelta:
        """How long a lease runs without a renewal."""
        ...

    @property
    def attempts(self) -> int:
        """How often an event is tried before its stream is blocked."""
        ...

    @property
    def visibility(self) -> Visibility:
        """How far a reader of the global order reads."""
        ...
