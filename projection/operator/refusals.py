"""Refusals of an operator's commands."""

from __future__ import annotations


class UnknownStream(LookupError):
    """There is no such stream, or nothing of it to act on; the message says which. Nothing was changed."""
