"""A relay at rest: all passes, as it comes, and nothing is lost, held or invented."""

from __future__ import annotations

import asyncio
import socket
from random import Random

import pytest

from bench.faults.relay.lane import HIGH
from bench.faults.relay.relay import Relay
from tests.integration.relay.sockets import BOUND_S, Place, ended, heard, reset, say

MUCH = 64 * 2**20
STANDS = 20
"""Looks in a row at which no more was taken."""


async def test_bytes_pass_both_ways_at_once_and_unchanged(place: Place) -> None:
    client, server = await place.pair()
    up, down = Random(1).randbytes(3_000_001), Random(2).randbytes(3_000_001)
    at_server, at_client, _, _ = await asyncio.gather(
        heard(server, len(up)), heard(client, len(down)), say(client, up), say(server, down)
    )
    assert at_server == up
    assert at_client == down
    assert place.told().passed == len(up) + len(down) + 2


async def test_many_connections_are_not_mixed_up(place: Place) -> None:
    clients = await asyncio.gather(*(place.client() for _ in range(200)))
    await asyncio.gather(*(say(client, b"%8d" % number) for number, client in enumerate(clients)))
    for _ in clients:
        server = await place.server()
        await say(server, await heard(server, 8))
    answers = await asyncio.gather(*(heard(client, 8) for client in clients))
    assert answers == [b"%8d" % number for number in range(200)]


async def test_a_half_close_is_passed_on_and_the_other_half_stays(place: Place) -> None:
    client, server = await place.pair()
    await say(client, b"last")
    client.shutdown(socket.SHUT_WR)
    assert await heard(server, 5) == b"last"
    await say(server, b"and the answer")
    server.close()
    assert await heard(client, 99) == b"and the answer"
    await asyncio.wait_for(place.relay.unused(), BOUND_S)


@pytest.mark.parametrize("by_client", [True, False])
async def test_a_reset_is_passed_on_as_one(place: Place, by_client: bool) -> None:
    first, second = await place.pair()
    if not by_client:
        first, second = second, first
    reset(first)
    assert not await ended(second)
    await asyncio.wait_for(place.relay.unused(), BOUND_S)


async def test_whoever_sends_waits_for_whoever_takes_nothing(place: Place) -> None:
    client, server = await place.pair()
    sending = asyncio.create_task(say(client, bytes(MUCH)))
    before, stood = -1, 0
    while stood < STANDS:
        await asyncio.sleep(0.01)
        passed = place.told().passed
        before, stood = passed, stood + 1 if passed == before else 0
        (connection,) = place.relay.connections
        assert connection.server.transport is not None
        assert connection.server.transport.get_write_buffer_size() <= 2 * HIGH
    assert not sending.done()
    assert len(await heard(server, MUCH)) == MUCH
    await sending


async def test_where_there_is_no_server_a_client_is_told_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    async with Relay.before(f"tcp://127.0.0.1:{port}") as relay:
        client = socket.socket()
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", relay.port))
        assert not await ended(client)
        client.close()
        await asyncio.wait_for(relay.unused(), BOUND_S)


async def test_at_its_end_nothing_is_left_open() -> None:
    async with Place.made() as place:
        client, server = await place.pair()
        hanging = await place.client()
        place.relay.end("cut")
        assert await ended(client)
        assert await ended(server)
        await ended(hanging)
    assert not place.relay.connections
