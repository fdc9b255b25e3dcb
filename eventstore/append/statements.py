"""Choice of the append statement: the leanest of `single`, `batched` and `general` that can do what a batch asks for.

All three give the same guarantees; the contract's suite runs with each, and each has its own mutants. How often each
was sent is told as `tidemark_api_append_statements` (ADR 0030).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol

import asyncpg

from eventstore.append.batched import append_batched
from eventstore.append.general import Append, append_all
from eventstore.append.single import append_single
from eventstore.errors import StoreError
from eventstore.events import Appended

Name = Literal["single", "batched", "general"]

NAMES: Final[tuple[Name, ...]] = ("single", "batched", "general")
"""From the leanest to the one that can do everything."""


class Run(Protocol):
    """Runs one statement. None where there may be a conflict, which the general one names."""

    async def __call__(
        self, connection: asyncpg.Connection, appends: Sequence[Append], *, slot: int, wake: bool = False
    ) -> Sequence[Appended | StoreError | None]:
        """Returns after the commit. Raises the driver's errors: then nothing was written."""
        ...


RUN: Final[Mapping[Name, Run]] = {"single": append_single, "batched": append_batched, "general": append_all}


def choose(appends: Sequence[Append], *, named: bool, leanest: Name) -> Name:
    """The leanest statement, from `leanest` on, for these appends; `named`: a conflict has to be named. Pure."""
    if leanest == "general" or named or not all(append.lean for append in appends):
        return "general"
    return "single" if leanest == "single" and len(appends) == 1 else "batched"
