"""No guard: the global order is walked from the cursor on, and no stream's checkpoint is asked for."""

from __future__ import annotations

from typing import Final

from projection.ordering.global_order import GlobalOrder
from projection.strategy import OrderingStrategy, Tools
from tests.mutants.drills.planted.memory import OVERWRITE, with_parts

SERIAL: Final = True
COSTLY_HANDLER: Final = True
LEASES: Final = True


def make(tools: Tools) -> OrderingStrategy:
    """With fence and cursor as they are."""
    return GlobalOrder(with_parts(tools, {"fresh": "true", "guard": "true", "effect": OVERWRITE}))


MAKE: Final = make
