"""The end of an API process: a request that is on its way to a connection that idled is served, and told so."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from services.api.serving.access import Access
from services.api.serving.admission import ADMISSION, Admission
from services.api.serving.protocol import Connection

REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


async def answers(*, idles: bool) -> list[bytes]:
    """What is answered to a request before the end, to one that is sent once it has begun, and after that."""
    admission = Admission(1.0, b"")
    config = uvicorn.Config(Access(hello, lambda *_: None, admission), lifespan="off", log_config=None)
    config.load()
    state = ServerState()

    def connection() -> Connection:
        return Connection(app_state={ADMISSION: admission}, patience_s=20.0, most=9, config=config, server_state=state)

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(REQUEST)
    got = [await reader.readuntil(b"hi")]
    for each in list(state.connections):
        each.shutdown()
    if not idles:
        writer.write(REQUEST)
        got.append(await reader.readuntil(b"hi"))
    got.append(await reader.read())
    writer.close()
    server.close()
    return got


def test_one_that_is_on_its_way_is_served_and_told_that_it_was_the_last() -> None:
    before, last, after = asyncio.run(answers(idles=False))
    assert b"connection: close" not in before
    assert last.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in last
    assert after == b""


def test_a_connection_that_idles_on_is_closed_without_a_word() -> None:
    assert asyncio.run(answers(idles=True))[1:] == [b""]
