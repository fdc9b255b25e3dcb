"""`HANDLER=each`: batches that call a function for each event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from eventstore.connection.database import Database
from projection.read_model import Apply, ReadModels
from projection.statement.each.frame import Frame
from projection.statement.each.ordered import OrderedBatch
from projection.statement.each.span import Guard, missing
from projection.statement.each.stalls import Stalls
from projection.statement.each.streams import StreamBatch
from projection.statement.handler import Run
from projection.statement.shapes import Shape


class EachHandler:
    """Calls the read models' functions, one event after another, in one transaction a batch.

    `pause`: how long a function may keep its transaction idle; then Postgres ends the session. `planted` replaces some
    conditions of a batch, and `guard` its guard, so that a test can plant a bug.
    """

    def __init__(
        self,
        models: ReadModels,
        *,
        pause: timedelta,
        planted: Mapping[str, str] | None = None,
        guard: Guard = missing,
    ) -> None:
        self._functions: Final[list[Apply]] = [model.apply for model in models if model.apply is not None]
        self._pause_ms: Final = max(1, round(pause.total_seconds() * 1000))
        self._planted: Final = planted or {}
        self._guard: Final = guard
        self._stalls: Final = Stalls()

    def batches(self, database: Database, shape: Shape) -> Run:
        """A round trip or more for each event."""
        parts = shape.parts.planted(**self._planted)
        frame = Frame(database, shape, parts, self._functions, self._pause_ms, self._guard, self._stalls)
        return OrderedBatch(frame) if shape.ordered else StreamBatch(frame)
