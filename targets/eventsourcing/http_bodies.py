"""What a caller sends, read within bounds, and refusals as RFC 9457 problems."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from domain import check_text
from starlette.requests import Request
from starlette.responses import JSONResponse

MAX_BODY: Final = 32 * 1024
"""Bytes: the longest text fits, each character written as a pair of JSON escapes."""

MAX_LIMIT: Final = 1000


class Refused(Exception):
    """A request that is answered with this status and these words."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem(status: int, detail: str) -> JSONResponse:
    """The answer of a refusal; with Retry-After where trying again may help."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    headers = {"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse(document, status, headers, media_type="application/problem+json")


async def text_of(request: Request) -> str:
    """The `text` of the body. Raises Refused (400, 413, 415) and InvalidText."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Refused(415, "send the body as application/json")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(413, f"the body is longer than {MAX_BODY} bytes")
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON in UTF-8: {error}") from error
    return check_text(document.get("text") if isinstance(document, dict) else None)


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query. Raises Refused (400)."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) <= 19 and least <= int(given) <= most):
        raise Refused(400, f"{name} takes a whole number from {least} to {most}")
    return int(given)
