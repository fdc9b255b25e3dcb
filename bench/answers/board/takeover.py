"""What drills say of a target: what they counted, and what became of the work of a projector that was killed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bench.drill.document import counted
from metrics.records.answers.drills import Drill

KILL: Final = "kill-projector"
_LONGEST: Final = 1e9


def takeover(drills: Iterable[Drill]) -> dict[str, Any]:
    """The cell of a target: the slowest median, or what went wrong. A drill that is there twice counts once."""
    found: list[Drill] = []
    for drill in drills:
        if drill["name"] == KILL and drill not in found:
            found.append(drill)
    if not found:
        return {"value": None, "text": "not told", "small": "", "fault": False}
    hit, asked = sum(drill["hit"] for drill in found), sum(drill["repetitions"] for drill in found)
    took = [drill["takeover_s"]["p50"] for drill in found if drill["takeover_s"]["p50"] is not None]
    small = f"{hit} of {asked} hit"
    if wrong := counted(found):
        return {"value": None, "text": "wrong", "small": f"{wrong}; {small}", "fault": True}
    none = [spread["max"] for drill in found if (spread := drill.get("no_takeover_s")) and spread["max"] is not None]
    if none:
        return {
            "value": None,
            "text": "none",
            "small": f"within {min(max(none), _LONGEST):.0f} s; {small}",
            "fault": False,
        }
    if not took:
        return {"value": None, "text": "not told", "small": small, "fault": False}
    slowest = min(max(took), _LONGEST)
    return {"value": slowest, "text": f"{slowest:.1f} s", "small": small, "fault": False}
