"""How a stream finds its shard: fixed for ever, even, and held against what a store keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from bench.oracle.read_store import shard_of
from eventstore.contract import StreamStore
from eventstore.events import NO_STREAM, NewEvent
from eventstore.memory import MemoryEventStore
from eventstore.shards.hash_slots import HASH_SLOTS, Place, Shards, hash_slot, places, table
from eventstore.shards.place import row, unlike
from eventstore.shards.router import routed
from todo.handler import new_todo_id

# Stores have streams by it: no other value will ever do.
FIXED = {"": 0, "todo-00000000000000000000000000000000": 187, "todo-ffffffffffffffffffffffffffffffff": 122, "ä": 131}


@pytest.mark.parametrize("stream", FIXED)
def test_a_name_has_its_hash_slot_for_ever(stream: str) -> None:
    assert hash_slot(stream) == FIXED[stream]


@pytest.mark.parametrize("shards", [1, 2, 3, 5, 64])
def test_every_shard_has_as_many_hash_slots_and_about_as_many_streams(shards: int) -> None:
    slots = Counter(table(shards))
    assert set(slots) == set(range(shards))
    assert max(slots.values()) - min(slots.values()) <= 1
    streams = Counter(Shards(range(shards)).of(new_todo_id(str(number))) for number in range(20_000))
    assert max(streams.values()) < 1.5 * 20_000 / shards
    assert len(table(shards)) == HASH_SLOTS


def test_the_oracle_comes_to_the_same_by_itself() -> None:
    ids = [new_todo_id() for _ in range(500)]
    assert [shard_of(id, 3) for id in ids] == [Shards(range(3)).of(id) for id in ids]


def test_a_repeated_create_names_the_same_todo() -> None:
    assert new_todo_id("key") == new_todo_id("key") != new_todo_id("another")
    assert new_todo_id() != new_todo_id()


@pytest.mark.parametrize(
    ("kept", "place", "words"),
    [
        ([row(Place())], Place(), ""),
        ([row(Place(1, 2))], Place(1, 2), ""),
        ([row(Place(1, 2))], Place(0, 2), "the store is shard 1 of 2, and is reached as shard 0 of 2"),
        ([row(Place(1, 2))], Place(), "the store is shard 1 of 2, and is reached as shard 0 of 1"),
        ([row(Place())], Place(0, 2), "the store is shard 0 of 1, and is reached as shard 0 of 2"),
        ([], Place(0, 2), "the store does not say which shard it is, and is reached as shard 0 of 2"),
        ([row(Place()), row(Place(1, 2))], Place(), "the store is shard 0 of 1 and shard 1 of 2, and"),
        ([{"number": 0, "hash_slots": [0] * 255 + [1]}], Place(0, 2), "shard 0 of 2 by another table of hash slots"),
    ],
)
def test_a_store_at_another_place_is_named(kept: Sequence[dict[str, object]], place: Place, words: str) -> None:
    told = unlike(kept, place)
    assert words in told
    assert bool(told) == bool(words)


def test_one_store_is_its_own_router() -> None:
    alone = MemoryEventStore()
    assert routed([alone]) is alone


async def test_each_stream_is_written_and_read_in_its_own_store() -> None:
    stores: list[StreamStore] = [MemoryEventStore() for _ in places(3)]
    router = routed(stores)
    ids = [new_todo_id() for _ in range(30)]
    for id in ids:
        await router.append(id, [NewEvent("TodoCreated", {"text": id})], expected=NO_STREAM)
    for id in ids:
        assert [event.data for event in await router.read_stream(id)] == [{"text": id}]
        there = [number for number, store in enumerate(stores) if await store.read_stream(id)]
        assert there == [shard_of(id, 3)]
