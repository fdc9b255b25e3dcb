"""The little HTTP that the bench itself speaks to the system under test."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_S = 5.0


def ready(base_url: str) -> bool:
    """True when the API says that it is ready."""
    try:
        with urllib.request.urlopen(f"{base_url}/readyz", timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


def stats(base_url: str) -> dict[str, Any] | None:
    """The document of GET /stats, None when it can not be had at the moment."""
    try:
        with urllib.request.urlopen(f"{base_url}/stats", timeout=TIMEOUT_S) as answer:
            document: dict[str, Any] = json.load(answer)
            return document
    except (OSError, http.client.HTTPException, ValueError):
        return None
