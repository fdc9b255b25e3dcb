"""Answers in JSON with few headers, sent with as little work as can be.

Litestar's own response merges headers, cookies and encoders of all layers, which took a third of the API's time for a
write. These answers have none of that, and do not look for it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.types import ASGIApp, Receive, Scope, Send

Header = tuple[bytes, bytes]

JSON: Final = b"application/json"

encoded: Final = msgspec.json.Encoder().encode


class Answer(Response[Any]):
    """A document (none at all for None) with its status and its own headers, names in lower case."""

    def __init__(
        self, content: Any, headers: tuple[Header, ...], *, status_code: int = 200, content_type: bytes = JSON
    ) -> None:
        body = b"" if content is None else encoded(content)
        if content is not None:
            headers = (*headers, (b"content-type", content_type), (b"content-length", b"%d" % len(body)))
        self._start = {"type": "http.response.start", "status": status_code, "headers": headers}
        self._body = {"type": "http.response.body", "body": body, "more_body": False}

    async def send(self, send: Send) -> None:
        """Answer the request."""
        await send(self._start)  # type: ignore[arg-type]
        await send(self._body)  # type: ignore[arg-type]

    def to_asgi_response(self, app: Any, request: Request[Any, Any, Any], **_: Any) -> ASGIApp:  # type: ignore[override]
        """The answer as an ASGI application. Whatever the layers above would add is left out."""
        return self._respond

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.send(send)


def etag(version: int) -> Header:
    """The header with the entity tag of a version."""
    return b"etag", b'"%d"' % version
