"""The answers of `/todos`: JSON with few headers, sent with as little work as can be.

Litestar's own response merges headers, cookies and encoders of all layers, which took a third of the API's time for a
write. These answers have none of that, and do not look for it.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, Response
from litestar.types import ASGIApp, Receive, Scope, Send

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode
_JSON: Final = (b"content-type", b"application/json")


class Answer(Response[T]):
    """A document (none at all for None) with its status and its own headers, names in lower case."""

    def __init__(self, content: T, headers: tuple[tuple[bytes, bytes], ...], *, status_code: int = 200) -> None:
        body = b"" if content is None else _encode(content)
        about = () if content is None else (_JSON, (b"content-length", b"%d" % len(body)))
        self._start = {"type": "http.response.start", "status": status_code, "headers": [*headers, *about]}
        self._body = {"type": "http.response.body", "body": body, "more_body": False}

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **_: Any) -> ASGIApp:  # type: ignore[override]
        """The answer as an ASGI application. Whatever the layers above would add is left out."""
        return self._send

    async def _send(self, _: Scope, __: Receive, send: Send) -> None:
        await send(self._start)  # type: ignore[arg-type]
        await send(self._body)  # type: ignore[arg-type]
