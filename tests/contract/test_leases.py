"""Leases: who gets which stream, for how long, and what a holder may do that has lost it. Time is moved by `now`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from eventstore.contract import EventStore, Lease, Leases
from eventstore.errors import LeaseLost
from eventstore.events import NO_STREAM, ExpectedVersion, NewEvent

TTL = timedelta(seconds=5)
NOON = datetime(2040, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=2)
EXPIRED = NOON + timedelta(seconds=6)

EVENT = NewEvent("A", {})


async def grow(store: EventStore, *streams: str, events: int = 1, expected: int = NO_STREAM) -> None:
    for stream in streams:
        await store.append(stream, [EVENT] * events, expected=ExpectedVersion(expected))


async def claim(leases: Leases, holder: str, now: datetime, limit: int = 10) -> list[Lease]:
    return await leases.claim(holder, limit=limit, ttl=TTL, now=now)


def names(leases: list[Lease]) -> set[str]:
    return {lease.stream for lease in leases}


async def test_nothing_to_claim_in_an_empty_store(leases: Leases) -> None:
    assert await claim(leases, "one", NOON) == []


async def test_a_lease_says_what_there_is_to_do(store: EventStore, leases: Leases) -> None:
    await grow(store, "s", events=3)

    [lease] = await claim(leases, "one", NOON)

    assert (lease.stream, lease.holder, lease.projected, lease.version) == ("s", "one", 0, 3)
    assert lease.epoch > 0


async def test_a_claim_takes_at_most_its_limit_and_the_longest_waiting_first(store: EventStore, leases: Leases) -> None:
    await grow(store, "c", "a", "b")

    assert names(await claim(leases, "one", NOON, limit=2)) == {"c", "a"}
    assert names(await claim(leases, "one", NOON, limit=2)) == {"b"}


async def test_a_leased_stream_is_passed_over(store: EventStore, leases: Leases) -> None:
    await grow(store, "a", "b")

    taken = await claim(leases, "one", NOON, limit=1)
    rest = await claim(leases, "two", LATER)

    assert names(taken) | names(rest) == {"a", "b"}
    assert names(taken) & names(rest) == set()
    assert await claim(leases, "one", LATER) == []


async def test_a_takeover_raises_the_epoch_by_one(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")

    [old] = await claim(leases, "one", NOON)
    [new] = await claim(leases, "two", EXPIRED)

    assert (new.holder, new.epoch) == ("two", old.epoch + 1)


async def test_every_grant_has_an_epoch_of_its_own(store: EventStore, leases: Leases) -> None:
    await grow(store, "s", events=3)

    [first] = await claim(leases, "one", NOON)
    await leases.acknowledge(first, 1, now=NOON)
    [second] = await claim(leases, "one", NOON)
    await leases.release([second])
    [third] = await claim(leases, "one", NOON)

    assert first.epoch < second.epoch < third.epoch
    for stale in (first, second):
        with pytest.raises(LeaseLost):
            await leases.acknowledge(stale, 2, now=NOON)


async def test_acknowledging_moves_the_checkpoint_and_ends_the_lease(store: EventStore, leases: Leases) -> None:
    await grow(store, "s", events=3)

    [lease] = await claim(leases, "one", NOON)
    await leases.acknowledge(lease, 2, now=LATER)
    [rest] = await claim(leases, "two", LATER)

    assert (rest.projected, rest.version) == (2, 3)
    with pytest.raises(LeaseLost):
        await leases.acknowledge(lease, 3, now=LATER)


async def test_a_stream_that_caught_up_is_not_claimed_until_it_grows(store: EventStore, leases: Leases) -> None:
    await grow(store, "s", events=2)
    [lease] = await claim(leases, "one", NOON)
    await leases.acknowledge(lease, 2, now=NOON)

    assert await claim(leases, "one", LATER) == []
    await grow(store, "s", expected=2)
    [grown] = await claim(leases, "one", LATER)
    assert (grown.projected, grown.version) == (2, 3)


async def test_a_stream_that_grew_under_its_lease_keeps_its_backlog(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    [lease] = await claim(leases, "one", NOON)
    await grow(store, "s", expected=1)

    assert await claim(leases, "two", LATER) == []
    await leases.acknowledge(lease, 1, now=LATER)
    [rest] = await claim(leases, "two", LATER)
    assert (rest.projected, rest.version) == (1, 2)


async def test_an_expired_lease_can_not_acknowledge(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    [lease] = await claim(leases, "one", NOON)

    with pytest.raises(LeaseLost):
        await leases.acknowledge(lease, 1, now=EXPIRED)

    [again] = await claim(leases, "two", EXPIRED)
    assert again.projected == 0


async def test_a_stale_holder_can_not_acknowledge_while_another_works(store: EventStore, leases: Leases) -> None:
    await grow(store, "s", events=2)
    [old] = await claim(leases, "one", NOON)
    [new] = await claim(leases, "two", EXPIRED)

    with pytest.raises(LeaseLost):
        await leases.acknowledge(old, 2, now=EXPIRED)
    await leases.acknowledge(new, 1, now=EXPIRED)

    [rest] = await claim(leases, "one", EXPIRED)
    assert rest.projected == 1


async def test_the_same_holder_in_an_older_epoch_is_stale_too(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    [old] = await claim(leases, "one", NOON)
    [new] = await claim(leases, "one", EXPIRED)

    with pytest.raises(LeaseLost):
        await leases.acknowledge(old, 1, now=EXPIRED)
    await leases.acknowledge(new, 1, now=EXPIRED)


async def test_a_lease_can_not_be_used_under_another_name(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    [lease] = await claim(leases, "one", NOON)
    forged = Lease(lease.stream, "two", lease.epoch, lease.projected, lease.version)

    with pytest.raises(LeaseLost):
        await leases.acknowledge(forged, 1, now=NOON)
    assert await leases.renew([forged], ttl=TTL, now=NOON) == []
    await leases.release([forged])
    assert await claim(leases, "three", LATER) == []


@pytest.mark.parametrize("version", [0, 4])
async def test_the_checkpoint_stays_between_itself_and_the_head(
    store: EventStore, leases: Leases, version: int
) -> None:
    await grow(store, "s", events=3)
    [lease] = await claim(leases, "one", NOON)
    await leases.acknowledge(lease, 1, now=NOON)
    [lease] = await claim(leases, "one", NOON)

    with pytest.raises(ValueError, match="version"):
        await leases.acknowledge(lease, version, now=NOON)

    await leases.acknowledge(lease, 3, now=NOON)


async def test_renewing_prolongs(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    held = await claim(leases, "one", NOON)

    assert await leases.renew(held, ttl=TTL, now=LATER) == held
    assert await claim(leases, "two", EXPIRED) == []
    assert names(await claim(leases, "two", LATER + TTL + timedelta(seconds=1))) == {"s"}


async def test_renewing_returns_only_what_is_still_held(store: EventStore, leases: Leases) -> None:
    await grow(store, "a", "b", "c")
    held = {lease.stream: lease for lease in await claim(leases, "one", NOON)}
    await leases.acknowledge(held["a"], 1, now=NOON)
    await leases.renew([held["c"]], ttl=TTL, now=LATER)
    await claim(leases, "two", EXPIRED)

    assert await leases.renew(list(held.values()), ttl=TTL, now=EXPIRED) == [held["c"]]


async def test_an_expired_lease_can_not_be_renewed(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    held = await claim(leases, "one", NOON)

    assert await leases.renew(held, ttl=TTL, now=EXPIRED) == []
    assert names(await claim(leases, "two", EXPIRED)) == {"s"}


async def test_releasing_frees_at_once_and_moves_nothing(store: EventStore, leases: Leases) -> None:
    await grow(store, "a", "b")
    held = await claim(leases, "one", NOON)
    await leases.release(held)

    free = await claim(leases, "two", NOON)

    assert names(free) == {"a", "b"}
    assert {lease.projected for lease in free} == {0}
    for lease in held:
        with pytest.raises(LeaseLost):
            await leases.acknowledge(lease, 1, now=NOON)


async def test_releasing_what_passed_on_does_not_disturb_the_new_holder(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    old = await claim(leases, "one", NOON)
    [new] = await claim(leases, "two", EXPIRED)

    await leases.release(old)

    assert await claim(leases, "three", EXPIRED) == []
    await leases.acknowledge(new, 1, now=EXPIRED)


async def test_nothing_to_renew_or_release_is_fine(leases: Leases) -> None:
    assert await leases.renew([], ttl=TTL, now=NOON) == []
    await leases.release([])


async def test_without_now_the_clock_of_the_store_counts(store: EventStore, leases: Leases) -> None:
    await grow(store, "s", events=2)
    [lease] = await leases.claim("one", limit=1, ttl=timedelta(hours=1))

    assert await leases.claim("two", limit=1, ttl=TTL) == []
    assert await leases.renew([lease], ttl=timedelta(hours=1)) == [lease]
    await leases.acknowledge(lease, 1)
    [rest] = await leases.claim("two", limit=1, ttl=timedelta(microseconds=1))
    assert rest.epoch == lease.epoch + 1
    with pytest.raises(LeaseLost):
        await leases.acknowledge(rest, 2, now=datetime.now(UTC) + timedelta(seconds=1))
