"""Capabilities: what a target may offer beyond the required calls of `targets/CONTRACT.md`."""

from __future__ import annotations

from typing import Literal

Capability = Literal["events", "drain", "wait", "idempotency", "if-match", "applied", "leases"]
