"""No fence: what was claimed once is applied, whoever has the lease by now."""

from __future__ import annotations

from typing import Final

from projection.strategy import OrderingStrategy, Tools
from tests.mutants.drills.planted.memory import FROM_MEMORY, OVERWRITE, Remembering, with_parts

SERIAL: Final = False
COSTLY_HANDLER: Final = True
LEASES: Final = True


def make(tools: Tools) -> OrderingStrategy:
    """Without the fence, and without the guard that would do in its place."""
    return Remembering(with_parts(tools, {**FROM_MEMORY, "effect": OVERWRITE, "fence": "true"}))


MAKE: Final = make
