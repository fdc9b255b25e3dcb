"""Environment variables, typed and bounded: read as a value, and a value rendered as the text that reads back the same.

An empty variable counts as unset. Every method raises SettingError, whose text names the variable, the value and
what is allowed. Numbers are rendered as decimals without an exponent, exact to the last bit; None is the empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from settings.hiding import hide, shown

_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_DURATION: Final = re.compile(r"\+?(\d+\.?\d*|\.\d+)\s*(ms|s|m|h)?", re.ASCII)
_UNIT_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_SHOWN: Final = 200
_FLAGS: Final = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


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


class SettingError(ValueError):
    """A setting that can not be used; the message is one line for the person who set it, without any password."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        self.name = name
        super().__init__(f"{name}={_shortened(shown(name, value))!r} is not usable: expected {hide(expected)}")


def _shortened(value: str) -> str:
    return value if len(value) <= _SHOWN else value[:_SHOWN] + "…"


class Environment:
    """Typed access to one mapping of variables."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables: Final = variables

    def text(self, name: str, default: str | None = None, *, expected: str = "a value") -> str:
        """Any text. Raises SettingError when the variable is unset and has no default."""
        value = self._variables.get(name, "").strip()
        if value:
            return value
        if default is None:
            raise SettingError(name, "", f"{expected}; it is not set")
        return default

    def optional(self, name: str) -> str | None:
        """Any text, or None when unset."""
        return self._variables.get(name, "").strip() or None

    def host_and_port(self, name: str, default: str | None = None) -> str | None:
        """A host and a port from 1 to 65535, None when unset without a default."""
        value = self.optional(name) or default
        found = value and re.fullmatch(r"(?:\[[\da-fA-F:.]+\]|[^\s:]+):(\d{1,5})", value, re.ASCII)
        if value and not (found and 0 < int(found[1]) <= 65535):
            raise SettingError(name, value, "host:port, such as 127.0.0.1:5557")
        return value

    def integer(self, name: str, default: int | None, *, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        value = self.text(name, None if default is None else str(default), expected=f"a whole number, {low} to {high}")
        if not _INTEGER.fullmatch(value) or not low <= int(value) <= high:
            raise SettingError(name, value, f"a whole number, {low} to {high}")
        return int(value)

    def number(self, name: str, default: float | None, *, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        expected = f"a number, {plain(low)} to {plain(high)}"
        value = self.text(name, None if default is None else spelled(default), expected=expected)
        if not _NUMBER.fullmatch(value) or not low <= float(value) <= high:
            raise SettingError(name, value, expected)
        return float(value) + 0.0  # -0 is 0

    def duration(self, name: str, default: str, *, low: float, high: float) -> float:
        """Seconds, written as `30s`, `500ms`, `2m`, `1h` or a plain number of seconds."""
        value = self.text(name, default)
        match = _DURATION.fullmatch(value)
        seconds = float(match[1]) * _UNIT_S[match[2]] if match else -1.0
        if not match or not low <= seconds <= high:
            expected = f"a duration such as 30s, 500ms or 2m, {plain(low)} to {plain(high)} seconds"
            raise SettingError(name, value, expected)
        return seconds

    def flag(self, name: str, default: bool) -> bool:
        """true or false (also 1/0, yes/no, on/off)."""
        value = self.text(name, spelled(default)).lower()
        if value not in _FLAGS:
            raise SettingError(name, value, "true or false")
        return _FLAGS[value]

    def choice(self, name: str, default: str | None, allowed: Sequence[str]) -> str:
        """One of the allowed words."""
        expected = "one of " + ", ".join(allowed)
        value = self.text(name, default, expected=expected)
        if value not in allowed:
            raise SettingError(name, value, expected)
        return value


UNSET: Final = Environment({})
"""Nothing is set: what is read by it is the default."""
