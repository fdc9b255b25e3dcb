"""Planner settings (`enable_*`, `plan_cache_mode`) of each process, for its database role and for its sessions.

Every statement has its index, and looks its rows up one by one. A plan that reads a whole table, or joins along a whole
index, is cheap while the table is small, so it may be chosen before the first statistics; the connection keeps it, and
its cost grows with everything there is. `tests/plans` holds the statements to these settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PLANNER: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Compiling costs more than it saves on statements of a few milliseconds.
        "jit": "off",
        "enable_seqscan": "off",
        "enable_bitmapscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        # With such plans nothing is gained by planning anew for each call, which takes longer than a small call itself.
        "plan_cache_mode": "force_generic_plan",
    }
)
"""What every process needs: the API, the operator's commands, and a projector."""

PROJECTOR: Final[Mapping[str, str]] = MappingProxyType({**PLANNER, "enable_sort": "off"})
"""A claim must run along its index, however the planner's statistics may stand."""

JOB: Final[Mapping[str, str]] = MappingProxyType(
    {**PROJECTOR, "work_mem": "64MB", "plan_cache_mode": "force_custom_plan"}
)
"""A rebuild begins with tables that are known to be empty and ends with full ones, so each batch is planned anew: a
plan made at the start and kept read all of the todos in every later batch, at a tenth of the speed."""

ROLES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "tidemark_api": PLANNER,
        "tidemark_projector": PROJECTOR,
        "tidemark_operator": PLANNER,
        # It reads every table from end to end.
        "tidemark_oracle": MappingProxyType({"jit": "off"}),
        "tidemark_scaler": PLANNER,
    }
)
"""The database roles of `python -m migrations roles`, and the settings that each has as its own."""

CONNECTIONS: Final[Mapping[str, int]] = MappingProxyType({"tidemark_scaler": 4})
"""The roles that may have so many sessions at once and no more: who asks for the backlog takes none from its users."""
