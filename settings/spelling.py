"""Render a setting's value as text for another process: the one form that `Environment` reads back as the same value.

Numbers are decimals without an exponent, exact to the last bit; None is the empty text, which counts as unset.
"""

from __future__ import annotations

from decimal import Decimal


def spelled(value: str | float | bool | None) -> str:
    """The value of a setting other than a duration, as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, float) else str(value)


def spelled_seconds(seconds: float) -> str:
    """A duration as text."""
    return f"{plain(seconds)}s"


def plain(value: float) -> str:
    """The shortest decimal that reads back as just this number, never `1e+06`."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")
