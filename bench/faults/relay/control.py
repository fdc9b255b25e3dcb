"""The relay's side of its Unix socket: a line of JSON is an order, carried out before the next one is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bench.faults.relay.relay import Relay
from bench.platforms.postgres.network import LONGEST, Order, Refused


@asynccontextmanager
async def controlled(relay: Relay, path: Path) -> AsyncIterator[None]:
    """Orders are taken at the socket until the end of the block. Raises OSError.

    What is no order is answered with the reason, and changes nothing; a line of more than LONGEST bytes ends its
    connection.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(answer(relay, line) + b"\n")
        except (ConnectionError, ValueError):
            return
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, path, limit=LONGEST)
    try:
        yield
    finally:
        server.close()


def answer(relay: Relay, line: bytes) -> bytes:
    """Carry out what a line says."""
    try:
        order = msgspec.json.decode(line, type=Order)
    except msgspec.MsgspecError as error:
        return msgspec.json.encode(Refused(str(error)))
    return msgspec.json.encode(relay.carry_out(order))
