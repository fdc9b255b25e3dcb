"""Ordering strategy told against strategy asked for: a result names what its projectors worked by."""

from __future__ import annotations

from collections.abc import Sequence


def others(asked: str, told: Sequence[str]) -> str:
    """Why projectors that say `told` give no result of the strategy `asked`; empty where they do, or say nothing."""
    if set(told) <= {asked}:
        return ""
    return f"the projectors said that they work by {' and '.join(told)}, this run is one of {asked}"
