"""`target` of `result.json`: the system that was measured, and what it offers beyond the required calls."""

from __future__ import annotations

from typing import Literal, TypedDict

Class = Literal["documented", "as shipped", "tuned"]
"""Run as its documentation says, as its own sample does, or with settings that somebody chose for the measurement."""

Proof = Literal["store", "log", "read-back"]
"""What proves a result: our tables folded again, the log over HTTP folded again, or every write read again."""

Target = TypedDict("Target", {"name": str, "version": str, "class": Class, "capabilities": list[str]})
"""`name` is that which TARGET chooses it by. `version` is empty where it is not told.

Only what is of one `class` is ranked; `capabilities` are what it offers.
"""
