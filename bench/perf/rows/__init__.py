"""The rows of the speed table, one file each: `ROW` says what is measured, next to what, and what must be reached."""

from __future__ import annotations

import importlib
from typing import Final

from bench.perf.row import Row

NAMES: Final = (
    "append",
    "append_hot",
    "actions",
    "goodput",
    "whole",
    "reads",
    "rebuild_parallel",
    "rebuild_serial",
    "leases_rebuild",
    "rebuild_live",
    "claim",
    "claim_empty",
    "visible_idle",
    "visible_1000",
    "visible_3000",
    "leases_idle",
    "projectors",
    "projectors_1_to_16",
    "oracle",
    "cold_start",
    "generator",
    "growth",
    "memory",
    "sampling",
    "shards",
    "hosts",
)


def load() -> dict[str, Row]:
    """All rows by name, in the order of the table."""
    return {name: importlib.import_module(f"{__name__}.{name}").ROW for name in NAMES}
