"""Progress line: one a second, for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def line(sample: Mapping[str, Any]) -> str:
    """Phase, users, rates, lag and backlog of one sample."""
    return (
        f"{sample['phase']:<12} {sample['elapsed_s']:6.1f} s  users {sample['users']:>4}  "
        f"actions {sample['actions_per_s']:>6.0f}/s  reads {sample['reads_per_s']:>6.0f}/s  "
        f"lag {_known(sample['projection_lag']):>5}  backlog {_known(sample['backlog']):>5}"
    )


def _known(value: int | None) -> str:
    return "?" if value is None else str(value)
