"""What a relay does to bytes and connections when it is told to, and that all is well once it is told that."""

from __future__ import annotations

import asyncio

import pytest

from bench.faults.relay.lane import HIGH, LOW
from bench.platforms.postgres.network import Ending, Network, Order, Way, silence
from tests.integration.relay.sockets import BOUND_S, Place, ended, heard, nothing_came, say

WELL = Network()
FAR = Way(latency_ms=60_000)
NARROW = Way(bytes_per_s=1)


@pytest.mark.parametrize("way", [FAR, NARROW], ids=["far", "narrow"])
@pytest.mark.parametrize("upward", [True, False], ids=["up", "down"])
async def test_bytes_are_held_back_in_one_direction_and_pass_when_all_is_well(
    place: Place, way: Way, upward: bool
) -> None:
    client, server = await place.pair()
    sender, receiver = (client, server) if upward else (server, client)
    place.relay.change(Network(up=way) if upward else Network(down=way))
    await say(sender, b"late")
    await say(receiver, b"at once")
    assert await heard(sender, 7) == b"at once"
    await place.until(lambda told: told.delayed == 4)
    assert nothing_came(receiver)
    place.relay.change(WELL)
    assert await heard(receiver, 4) == b"late"
    await say(sender, b"again")
    assert await heard(receiver, 5) == b"again"


async def test_bytes_come_late_by_themselves_and_in_their_order(place: Place) -> None:
    client, server = await place.pair()
    place.relay.change(Network(up=Way(latency_ms=1, jitter_ms=20)))
    sent = [b"%4d" % number for number in range(100)]
    for piece in sent:
        await say(client, piece)
        await asyncio.sleep(0)
    client.close()
    assert await heard(server, 10_000) == b"".join(sent)


async def test_what_is_slow_passes_whole(place: Place) -> None:
    client, server = await place.pair()
    place.relay.change(Network(up=Way(bytes_per_s=4_000_000)))
    sent = bytes(range(256)) * 4000
    await asyncio.gather(say(client, sent), received := asyncio.create_task(heard(server, len(sent))))
    assert received.result() == sent


@pytest.mark.parametrize("way", [FAR, NARROW], ids=["far", "narrow"])
async def test_what_is_held_back_is_bounded(place: Place, way: Way) -> None:
    client, server = await place.pair()
    place.relay.change(Network(up=way))
    sending = asyncio.create_task(say(client, bytes(64 * HIGH)))
    await place.until(lambda told: told.delayed > LOW)
    for _ in range(50):
        await asyncio.sleep(0.005)
    assert place.told().delayed <= 2 * HIGH
    assert not sending.done()
    place.relay.change(WELL)
    assert len(await heard(server, 64 * HIGH)) == 64 * HIGH
    await sending


async def test_after_a_long_latency_a_short_one_is_short(place: Place) -> None:
    client, server = await place.pair()
    place.relay.change(Network(up=FAR))
    await say(client, b"first")
    await place.until(lambda told: told.delayed == 5)
    place.relay.change(WELL)
    place.relay.change(Network(up=Way(latency_ms=1)))
    await say(client, b"second")
    assert await heard(server, 11) == b"firstsecond"


@pytest.mark.parametrize("how", ["cut", "reset"])
async def test_all_connections_are_ended_and_new_ones_are_well(place: Place, how: Ending) -> None:
    pairs = [await place.pair() for _ in range(3)]
    await say(pairs[0][0], b"asked")
    await place.until(lambda told: told.under_way == 1)
    told = place.relay.carry_out(Order(end=how))
    assert (told.open, told.under_way, told.ended) == (3, 1, 3)
    for client, server in pairs[1:]:
        assert await ended(client) == await ended(server) == (how == "cut")
    await asyncio.wait_for(place.relay.unused(), BOUND_S)
    await place.pair()


@pytest.mark.parametrize(("up", "down"), [(True, True), (True, False), (False, True)])
async def test_half_open_bytes_vanish_and_neither_end_is_closed(place: Place, up: bool, down: bool) -> None:
    client, server = await place.pair()
    place.relay.change(silence(up=up, down=down))
    await say(client, b"asked")
    await say(server, b"answer")
    await place.until(lambda told: told.swallowed_up == 5 * up and told.swallowed_down == 6 * down)
    if not up:
        assert await heard(server, 5) == b"asked"
    if not down:
        assert await heard(client, 6) == b"answer"
    assert nothing_came(client)
    assert nothing_came(server)
    assert place.told().half_open == 1


async def test_a_strike_ends_by_itself_and_what_was_half_open_is_told(place: Place) -> None:
    struck, spared = await place.pair(), await place.pair()
    place.relay.carry_out(Order(network=silence(), lasts_s=0.3))
    await say(struck[0], b"asked")
    await place.until(lambda _: place.relay.network == WELL)
    assert (place.told().half_open, place.told().swallowed_up) == (1, 5)
    await say(spared[0], b"well")
    assert await heard(spared[1], 4) == b"well"


async def test_an_order_takes_the_place_of_the_one_before(place: Place) -> None:
    client, server = await place.pair()
    place.relay.carry_out(Order(network=Network(up=FAR), lasts_s=0.01))
    place.relay.carry_out(Order(network=Network(up=FAR)))
    await say(client, b"late")
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert nothing_came(server)


async def test_what_has_lost_bytes_stays_silent_and_what_has_not_goes_on(place: Place) -> None:
    struck, spared = await place.pair(), await place.pair()
    place.relay.change(silence())
    await say(struck[0], b"asked")
    await place.until(lambda told: told.swallowed_up == 5)
    place.relay.change(WELL)
    await say(struck[0], b"again")
    await say(struck[1], b"answer")
    await place.until(lambda told: (told.swallowed_up, told.swallowed_down) == (10, 6))
    assert nothing_came(struck[0])
    assert nothing_came(struck[1])
    assert place.told().half_open == 1
    await say(spared[0], b"well")
    assert await heard(spared[1], 4) == b"well"
    await place.pair()


async def test_new_connections_hang_while_nothing_passes(place: Place) -> None:
    place.relay.change(silence())
    hanging, waiting = await place.client(), await place.client()
    await say(hanging, b"asked")
    await place.until(lambda told: told.swallowed_up == 5)
    assert nothing_came(hanging)
    with pytest.raises(BlockingIOError):
        place.listening.accept()
    place.relay.change(WELL)
    # Who has not lost anything is connected now, and whoever has stays where he is.
    await say(waiting, b"well")
    assert await heard(await place.server(), 4) == b"well"
    assert nothing_came(hanging)


async def test_new_connections_pass_where_only_those_there_are_struck(place: Place) -> None:
    struck, _ = await place.pair()
    place.relay.change(silence(fresh=False))
    await say(struck, b"asked")
    await place.until(lambda told: told.swallowed_up == 5)
    await place.pair()
    assert place.told().half_open == 1


async def test_an_end_is_not_told_while_nothing_passes_and_then_is(place: Place) -> None:
    client, server = await place.pair()
    place.relay.change(silence())
    await say(client, b"asked")
    client.close()
    await place.until(lambda told: told.swallowed_up == 5)
    assert nothing_came(server)
    assert len(place.relay.connections) == 1
    place.relay.change(WELL)
    assert await ended(server)
    server.close()
    await asyncio.wait_for(place.relay.unused(), BOUND_S)


async def test_a_request_is_under_way_until_something_comes_back(place: Place) -> None:
    client, server = await place.pair()
    assert place.told().under_way == 0
    await say(client, b"asked")
    await place.until(lambda told: told.under_way == 1)
    await say(server, b"answer")
    assert await heard(client, 6) == b"answer"
    assert place.told().under_way == 0


async def test_a_request_whose_answer_is_held_back_is_under_way_until_that_has_passed(place: Place) -> None:
    """So a cut behind held answers strikes statements that are done, of which whoever asked does not learn."""
    client, server = await place.pair()
    place.relay.change(Network(down=FAR))
    await say(client, b"asked")
    assert await heard(server, 5) == b"asked"
    await say(server, b"answer")
    await place.until(lambda told: told.delayed == 6)
    assert place.told().under_way == 1
    place.relay.change(WELL)
    assert await heard(client, 6) == b"answer"
    assert place.told().under_way == 0
