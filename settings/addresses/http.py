"""The address of an HTTP service in a setting: every process refuses the same ones."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from settings.environment import SettingError
from settings.hiding import hide


def http_root(name: str, value: str) -> str:
    """The address of an HTTP service without a path, a query or a last slash. Raises SettingError."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment or re.search(r"\s", value):
        raise SettingError(name, value, "an address such as http://127.0.0.1:8000")
    return value.rstrip("/")


def http_address(name: str, value: str) -> str:
    """The address of an HTTP service, perhaps below a path, without its last slash.

    Raises SettingError, which shows neither a login nor a query.
    """
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and "@" not in parts.netloc and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        shown = re.sub(r"[?#].*", "", hide(value, value))
        raise SettingError(name, shown, "an address such as http://127.0.0.1:8086, without a password or a query")
    return value.rstrip("/")
