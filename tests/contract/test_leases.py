"""Leases: who gets which stream, for how long, and what a holder may do that has lost it. Time is moved by `now`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from eventstore.contract import EventStore
from eventstore.errors import LeaseLost
from eventstore.events import NO_STREAM, ExpectedVersion, NewEvent
from projection.leases.contract import Lease, Leases
from tests.contract.conftest import SetAside

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


async def test_who_waits_longest_is_counted_from_its_oldest_unprojected_event(
    store: EventStore, leases: Leases
) -> None:
    """A checkpoint that moves past the old events puts the stream behind those that wait longer."""
    await grow(store, "a", "b")
    await grow(store, "a", expected=1)
    [first] = await claim(leases, "one", NOON, limit=1)
    await leases.acknowledge(first, 1, now=NOON)

    assert [first.stream, *names(await claim(leases, "one", NOON, limit=1))] == ["a", "b"]
    assert names(await claim(leases, "one", NOON, limit=1)) == {"a"}


async def test_claims_of_many_share_out_all_there_is(store: EventStore, leases: Leases) -> None:
    streams = [f"s{n:03}" for n in range(50)]
    await grow(store, *streams)

    grants = [await claim(leases, f"holder{n % 3}", NOON, limit=20) for n in range(4)]

    assert [len(grant) for grant in grants] == [20, 20, 10, 0]
    assert sorted(lease.stream for grant in grants for lease in grant) == streams
    assert {lease.epoch for grant in grants for lease in grant} == {1}
    assert len(await claim(leases, "heir", EXPIRED, limit=100)) == 50


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


async def test_a_lease_ends_at_its_last_moment_and_not_before(store: EventStore, leases: Leases) -> None:
    await grow(store, "s")
    end, before = NOON + TTL, NOON + TTL - timedelta(microseconds=1)
    [lease] = await claim(leases, "one", NOON)

    assert await claim(leases, "two", before) == []
    assert await leases.renew([lease], ttl=TTL / 5, now=before) == [lease]
    assert await claim(leases, "two", end) == []
    [lease] = await claim(leases, "two", before + TTL / 5)
    with pytest.raises(LeaseLost):
        await leases.acknowledge(lease, 1, now=before + TTL / 5 + TTL)
    await leases.acknowledge(lease, 1, now=before + TTL / 5 + TTL - timedelta(microseconds=1))


async def test_a_blocked_stream_is_not_claimed_until_it_is_mended(
    store: EventStore, leases: Leases, set_aside: SetAside
) -> None:
    await grow(store, "bad", "good")
    await set_aside("bad", blocked=True)

    assert names(await claim(leases, "one", NOON)) == {"good"}
    assert names(await claim(leases, "two", EXPIRED)) == {"good"}
    await set_aside("bad")
    assert names(await claim(leases, "two", EXPIRED)) == {"bad"}


async def test_a_blocked_stream_that_grows_stays_blocked(
    store: EventStore, leases: Leases, set_aside: SetAside
) -> None:
    await grow(store, "s")
    await set_aside("s", blocked=True)
    await grow(store, "s", expected=1)

    assert await claim(leases, "one", NOON) == []


async def test_a_stream_is_tried_again_when_its_time_has_come(
    store: EventStore, leases: Leases, set_aside: SetAside
) -> None:
    await grow(store, "s", "t")
    await set_aside("s", retry_at=LATER)

    assert names(await claim(leases, "one", NOON)) == {"t"}
    assert await claim(leases, "one", LATER - timedelta(microseconds=1)) == []
    assert names(await claim(leases, "one", LATER)) == {"s"}


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
    assert await leases.renew([old], ttl=TTL, now=EXPIRED) == []
    await leases.release([old])
    assert await claim(leases, "two", EXPIRED) == []
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


@pytest.mark.parametrize("version", [-1, 0, 4, 5])
async def test_the_checkpoint_stays_between_itself_and_the_head_of_the_lease(
    store: EventStore, leases: Leases, version: int
) -> None:
    await grow(store, "s", events=3)
    [lease] = await claim(leases, "one", NOON)
    await leases.acknowledge(lease, 1, now=NOON)
    [lease] = await claim(leases, "one", NOON)
    await grow(store, "s", expected=3)

    with pytest.raises(ValueError, match="version"):
        await leases.acknowledge(lease, version, now=NOON)
    with pytest.raises(ValueError, match="version"):
        await leases.acknowledge(lease, version, now=EXPIRED)

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
