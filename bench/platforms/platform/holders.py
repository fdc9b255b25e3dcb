"""The lease holder's name in a projector's log: JSON lines, of which the last `projector started` says it."""

from __future__ import annotations

import json


def holder_in(logs: str) -> str:
    """The name under which it holds leases; empty where it has not said it. A line that was cut off is passed over."""
    said = [json.loads(line) for line in logs.splitlines() if line.startswith("{") and line.endswith("}")]
    names = [str(line["projector"]) for line in said if line.get("event") == "projector started"]
    return names[-1] if names else ""
