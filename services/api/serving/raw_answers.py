"""Answers of the connection itself, as bytes of HTTP/1.1: RFC 9457 problems for what never becomes a request.

Each ends its connection. They carry no X-Request-Id, since nothing was given one.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import msgspec

from services.api.serving.bounds import MAX_CHUNKED, MAX_HEAD, MAX_LINE


def _problem(status: HTTPStatus, detail: str, *headers: bytes) -> bytes:
    told = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    body = msgspec.json.encode(told)
    lines = (
        f"HTTP/1.1 {status:d} {status.phrase}".encode(),
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"connection: close",
        *headers,
    )
    return b"\r\n".join((*lines, b"", body))


MALFORMED: Final = _problem(HTTPStatus.BAD_REQUEST, "What came is no HTTP request.")
CUT_OFF: Final = _problem(HTTPStatus.BAD_REQUEST, "The request ends before its end.")
LATE: Final = _problem(HTTPStatus.REQUEST_TIMEOUT, "The request was not whole in time; send it again at once.")
LONG_LINE: Final = _problem(
    HTTPStatus.REQUEST_URI_TOO_LONG, f"The request line is longer than {MAX_LINE} bytes: shorten path and query."
)
LONG_HEAD: Final = _problem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Request line and headers are longer than {MAX_HEAD} bytes."
)
LONG_CHUNKS: Final = _problem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request in chunks is longer than {MAX_CHUNKED} bytes."
)
FULL: Final = _problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "This process has as many connections as it may: close those that idle, or come again.",
    b"retry-after: 1",
)
