"""The address of an HTTP service in a setting: every process refuses the same ones."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from settings.environment import SettingError


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
