"""JSON-over-HTTP client for the few calls that are not load: readiness, statistics, the final read.

Built on the standard library, so it works in the plain supervisor and, cooperatively, in Locust's process.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit


class HttpError(Exception):
    """No usable answer came: refused, cut off, timed out, or not JSON."""


@dataclass(frozen=True)
class Answer:
    """A status and the decoded body, None where there is none."""

    status: int
    document: Any


class HttpClient:
    """One kept-alive connection to a base URL, for one caller at a time."""

    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        parts = urlsplit(base_url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "127.0.0.1", parts.port, timeout=timeout_s)
        self._prefix = parts.path

    def call(self, method: str, path: str) -> Answer:
        """One request, only ever a harmless one: it is sent again when the server closed the kept connection meanwhile.

        Raises HttpError.
        """
        kept = self._connection.sock is not None
        try:
            return self._call(method, path)
        except (ConnectionError, HTTPException) as error:
            if not kept:
                raise HttpError(_say(error)) from error
        except (OSError, ValueError) as error:
            raise HttpError(_say(error)) from error
        try:
            return self._call(method, path)
        except (OSError, HTTPException, ValueError) as error:
            raise HttpError(_say(error)) from error

    def get(self, path: str) -> Any:
        """The document of a 200 answer. Raises HttpError for anything else."""
        answer = self.call("GET", path)
        if answer.status != 200:
            raise HttpError(f"GET {path} answered {answer.status}")
        return answer.document

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()

    def _call(self, method: str, path: str) -> Answer:
        try:
            self._connection.request(method, self._prefix + path, headers={"Accept": "application/json"})
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            self._connection.close()
            raise
        return Answer(response.status, json.loads(body) if body else None)


def _say(error: Exception) -> str:
    return str(error) or type(error).__name__
