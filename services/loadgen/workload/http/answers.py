"""Incremental parser of HTTP answers, around httptools (llhttp): one object a connection, one answer after another."""

from __future__ import annotations

from typing import Final

import httptools

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer with its headers."""


class BadAnswer(Exception):
    """What the server sent is no answer to one request; the message says why."""


class AnswerParser:
    """The answer that is being read. `begin` comes before each; an interim one (1xx) is passed over.

    An answer without a length ends with its connection. Bytes after the end of an answer belong to no request.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.headers: list[tuple[bytes, bytes]] = []
        self.content = b""
        self.begin()

    def begin(self) -> None:
        """Forget the answer before."""
        self.headers, self.content = [], b""
        self._large, self._headed, self._whole = 0, False, False
        self.keeps_connection = False

    def feed(self, data: bytes) -> bool:
        """Take in what came, nothing at the end of the connection; True when the answer is whole. Raises BadAnswer."""
        if not data:
            return self._end()
        self._large += len(data)
        if self._large > LARGEST:
            raise BadAnswer(f"the answer is larger than {LARGEST} bytes")
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            raise BadAnswer(f"what came is no HTTP answer: {error}") from error
        except httptools.HttpParserUpgrade as error:
            raise BadAnswer("the server changed the protocol") from error
        return self._whole

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self._parser.get_status_code())

    def on_message_begin(self) -> None:
        """Called by httptools: an answer begins."""
        if self._whole:
            raise BadAnswer("bytes came after the end of the answer")
        self.headers, self._headed = [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools: a header is whole."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Called by httptools: what follows is the body."""
        self._headed = self.status >= 200

    def on_body(self, part: bytes) -> None:
        """Called by httptools: a part of the body."""
        self.content = self.content + part if self.content else part

    def on_message_complete(self) -> None:
        """Called by httptools: an answer ends. Only now it knows whether the connection may serve another request."""
        self._whole = self._headed
        self.keeps_connection = bool(self._parser.should_keep_alive())

    def _end(self) -> bool:
        framed = any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        if not self._headed or framed:
            raise BadAnswer("the connection was closed before the end of the answer")
        return True
