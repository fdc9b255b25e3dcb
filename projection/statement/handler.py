"""Event handler of a batch: what a strategy is handed, so that it does not know the read models."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final, Protocol

from eventstore.connection.database import Database, Statement
from projection.read_model import ReadModels
from projection.statement.batch import compose
from projection.statement.outcome import Outcome, outcome
from projection.statement.shapes import Shape


class Run(Protocol):
    """One batch, with the values that its shape names."""

    def __call__(self, **values: Any) -> Awaitable[Outcome]:
        """Commit it whole, or nothing of it. Raises what Postgres, or the handler, refused."""
        ...


class Handler(Protocol):
    """Makes the batches of one strategy."""

    def batches(self, database: Database, shape: Shape) -> Run:
        """How to run a batch of this shape."""
        ...


class SetHandler:
    """Set-based projection: a batch is one statement, whose effect is the read models' SQL.

    `planted` replaces some of its parts, so that a test can plant a bug.
    """

    def __init__(self, models: ReadModels, planted: Mapping[str, str] | None = None) -> None:
        self._models: Final = models
        self._planted: Final = planted or {}

    def statement(self, shape: Shape) -> Statement:
        """The statement of this shape, with all read models."""
        return compose(shape, shape.parts.keeping(self._models).planted(**self._planted))

    def batches(self, database: Database, shape: Shape) -> Run:
        """One round trip a batch."""
        statement = self.statement(shape)

        async def run(**values: Any) -> Outcome:
            (row,) = await database.fetch(statement, **values)
            return outcome(row)

        return run
