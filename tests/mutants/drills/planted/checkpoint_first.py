"""Checkpoint first: a transaction of its own moves the checkpoints of what was claimed; the effect comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from projection.leases.contract import Lease
from projection.strategy import OrderingStrategy, Tools
from tests.mutants.drills.planted.memory import FROM_MEMORY, Remembering, with_parts

SERIAL: Final = False
COSTLY_HANDLER: Final = True
LEASES: Final = True

MOVE: Final = """
UPDATE streams s
   SET projected = given.version, pending_since = CASE WHEN given.version < s.version THEN s.pending_since END
  FROM unnest($1::text[], $2::int[]) AS given(stream, version)
 WHERE s.stream = given.stream AND s.holder = $3
"""


class CheckpointFirst(Remembering):
    """Moves the checkpoints before it works on what they stand for."""

    async def _take_in_hand(self, leases: Sequence[Lease]) -> None:
        if leases:
            names, versions = [lease.stream for lease in leases], [lease.version for lease in leases]
            async with self._tools.database.connection() as connection:
                await connection.execute(MOVE, names, versions, self._tools.settings.name)
        await super()._take_in_hand(leases)


def make(tools: Tools) -> OrderingStrategy:
    """With fence and effect as they are."""
    return CheckpointFirst(with_parts(tools, FROM_MEMORY))


MAKE: Final = make
