"""Names of the contract, `targets/CONTRACT.md`: capabilities beyond the required calls, figures that are required."""

from __future__ import annotations

from typing import Final, Literal, get_args

Capability = Literal["events", "drain", "wait", "idempotency", "if-match", "applied", "leases"]
"""What a target may offer beyond the required calls."""

CAPABILITIES: Final[tuple[Capability, ...]] = get_args(Capability)
"""All of them, in the order of the contract's page."""

FIGURES: Final = ("eventCount", "totalEventsProjected", "totalTodos", "activeTodos", "backlog")
"""What `/stats` of every target tells."""
