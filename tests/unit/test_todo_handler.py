"""The handler against the memory store: retries, expected versions, and what an idempotency key means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from eventstore.errors import KeyReused, StoreUnavailable, VersionConflict
from eventstore.events import Appended, ExpectedVersion, IdempotencyKey, NewEvent, StoredEvent
from eventstore.memory import MemoryEventStore
from todo.commands import CreateTodo, DeleteTodo, TodoCommand, UpdateTodo
from todo.decisions import TodoState
from todo.errors import TodoNotFound
from todo.handler import PAGE, TodoHandler, new_todo_id
from todo.snapshots import Snapshot, SnapshotCache

pytestmark = pytest.mark.asyncio

TODO = new_todo_id()


class SpiedStore(MemoryEventStore):
    """A memory store that counts reads, lets other tasks run in every call, and can fail after a commit."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.lose_answers = 0

    async def append(
        self,
        stream: str,
        events: Sequence[NewEvent],
        *,
        expected: ExpectedVersion,
        key: IdempotencyKey | None = None,
    ) -> Appended:
        await asyncio.sleep(0)
        appended = await super().append(stream, events, expected=expected, key=key)
        if self.lose_answers:
            self.lose_answers -= 1
            raise StoreUnavailable("the answer was lost")
        return appended

    async def read_stream(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[StoredEvent]:
        self.reads += 1
        await asyncio.sleep(0)
        return await super().read_stream(stream, after=after, limit=limit)

    def types(self, stream: str = TODO) -> list[str]:
        return [event.type.removeprefix("Todo") for event in self.streams.get(stream, [])]


@pytest.fixture
def store() -> SpiedStore:
    return SpiedStore()


@pytest.fixture
def handler(store: SpiedStore) -> TodoHandler:
    return TodoHandler(store)


async def test_a_life(store: SpiedStore, handler: TodoHandler) -> None:
    assert (await handler.handle(TODO, CreateTodo("milk"))).version == 1
    assert (await handler.handle(TODO, UpdateTodo("bread"))).version == 2
    assert (await handler.handle(TODO, DeleteTodo())).version == 3
    assert store.types() == ["Created", "Updated", "Deleted"]
    assert store.reads == 0


@pytest.mark.parametrize("command", [UpdateTodo("bread"), DeleteTodo()])
async def test_nothing_follows_a_deletion(store: SpiedStore, handler: TodoHandler, command: UpdateTodo) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await handler.handle(TODO, DeleteTodo())
    for judge in (handler, TodoHandler(store)):
        with pytest.raises(TodoNotFound):
            await judge.handle(TODO, command)
    assert store.types() == ["Created", "Deleted"]


async def test_an_unknown_todo_is_not_remembered(store: SpiedStore, handler: TodoHandler) -> None:
    with pytest.raises(TodoNotFound):
        await handler.handle(TODO, UpdateTodo("bread"))
    await TodoHandler(store).handle(TODO, CreateTodo("milk"))
    assert (await handler.handle(TODO, UpdateTodo("bread"))).version == 2


async def test_a_stale_snapshot_only_costs_a_retry(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await TodoHandler(store).handle(TODO, UpdateTodo("bread"))
    assert (await handler.handle(TODO, UpdateTodo("eggs"))).version == 3


async def test_a_stale_snapshot_never_hides_a_deletion(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await TodoHandler(store).handle(TODO, DeleteTodo())
    with pytest.raises(TodoNotFound):
        await handler.handle(TODO, UpdateTodo("eggs"))
    assert store.types() == ["Created", "Deleted"]


async def test_a_store_set_back_under_the_handler_is_read_anew(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await handler.handle(TODO, UpdateTodo("bread"))
    del store.streams[TODO][1:]
    assert (await handler.handle(TODO, UpdateTodo("eggs"))).version == 2


async def test_conflicts_are_retried_until_each_writer_has_its_turn(store: SpiedStore) -> None:
    await TodoHandler(store).handle(TODO, CreateTodo("milk"))
    writers = [TodoHandler(store) for _ in range(5)]
    done = await asyncio.gather(*(writer.handle(TODO, UpdateTodo("bread")) for writer in writers))
    assert sorted(appended.version for appended in done) == [2, 3, 4, 5, 6]


async def test_writers_in_one_process_take_turns(store: SpiedStore) -> None:
    handler = TodoHandler(store, retries=1)
    await handler.handle(TODO, CreateTodo("milk"))
    done = await asyncio.gather(*(handler.handle(TODO, UpdateTodo("bread")) for _ in range(50)))
    assert sorted(appended.version for appended in done) == list(range(2, 52))


async def test_retries_are_bounded(store: SpiedStore) -> None:
    await TodoHandler(store).handle(TODO, CreateTodo("milk"))
    hasty = [TodoHandler(store, retries=0) for _ in range(5)]
    done = await asyncio.gather(*(w.handle(TODO, UpdateTodo("bread")) for w in hasty), return_exceptions=True)
    assert [type(answer) for answer in done].count(VersionConflict) == 4
    assert len(store.types()) == 2


@pytest.mark.parametrize("expected", [0, 1, 3, 999_999_999])
@pytest.mark.parametrize("key", [None, "k"])
async def test_another_version_than_the_expected_is_final(
    store: SpiedStore, handler: TodoHandler, expected: int, key: str | None
) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await TodoHandler(store).handle(TODO, UpdateTodo("bread"))
    with pytest.raises(VersionConflict) as conflict:
        await handler.handle(TODO, UpdateTodo("eggs"), expected=expected, key=key)
    assert conflict.value.actual == 2
    assert store.types() == ["Created", "Updated"]


async def test_the_expected_version_is_sought_when_the_snapshot_is_behind(
    store: SpiedStore, handler: TodoHandler
) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await TodoHandler(store).handle(TODO, UpdateTodo("bread"))
    assert (await handler.handle(TODO, UpdateTodo("eggs"), expected=2)).version == 3


async def test_of_two_writers_with_one_expected_version_one_wins(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    both = (handler.handle(TODO, UpdateTodo(text), expected=1) for text in ("bread", "eggs"))
    done = await asyncio.gather(*both, return_exceptions=True)
    assert {type(answer) for answer in done} == {Appended, VersionConflict}


async def test_a_key_replays_a_create_under_the_first_id(store: SpiedStore, handler: TodoHandler) -> None:
    first = await handler.handle(TODO, CreateTodo("milk"), key="k")
    again = await handler.handle(new_todo_id(), CreateTodo("milk"), key="k")
    assert (again.stream, again.version, again.position, again.replayed) == (TODO, 1, first.position, True)
    assert list(store.streams) == [TODO]


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_key_replays_what_the_todo_has_outlived(store: SpiedStore, handler: TodoHandler, fresh: bool) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    first = await handler.handle(TODO, UpdateTodo("bread"), expected=1, key="u")
    await handler.handle(TODO, UpdateTodo("eggs"))
    judge = TodoHandler(store) if fresh else handler
    assert (await judge.handle(TODO, UpdateTodo("bread"), expected=1, key="u")).version == first.version
    assert (await judge.handle(TODO, UpdateTodo("bread"), key="u")).version == first.version
    await handler.handle(TODO, DeleteTodo(), key="d")
    assert (await judge.handle(TODO, UpdateTodo("bread"), key="u")).position == first.position
    assert (await judge.handle(TODO, DeleteTodo(), key="d")).version == 4
    assert store.types() == ["Created", "Updated", "Updated", "Deleted"]


async def test_a_replay_does_not_set_the_snapshot_back(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"), key="c")
    await handler.handle(TODO, DeleteTodo())
    await handler.handle(new_todo_id(), CreateTodo("milk"), key="c")
    with pytest.raises(TodoNotFound):
        await handler.handle(TODO, UpdateTodo("bread"))


async def test_a_key_with_other_content_is_refused(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"), key="k")
    other = new_todo_id()
    await handler.handle(other, CreateTodo("milk"))
    others: list[tuple[str, TodoCommand]] = [
        (new_todo_id(), CreateTodo("bread")),
        (TODO, UpdateTodo("milk")),
        (other, UpdateTodo("milk")),
        (TODO, DeleteTodo()),
    ]
    for stream, command in others:
        with pytest.raises(KeyReused):
            await handler.handle(stream, command, key="k")
    assert len(store.types()) == 1


async def test_a_key_of_one_todo_is_not_the_key_of_another(store: SpiedStore, handler: TodoHandler) -> None:
    other = new_todo_id()
    for stream in (TODO, other):
        await handler.handle(stream, CreateTodo("milk"))
    await handler.handle(TODO, DeleteTodo(), key="k")
    with pytest.raises(KeyReused):
        await handler.handle(other, DeleteTodo(), key="k")


async def test_a_refused_command_leaves_its_key_free(store: SpiedStore, handler: TodoHandler) -> None:
    with pytest.raises(TodoNotFound):
        await handler.handle(TODO, UpdateTodo("bread"), key="k")
    await handler.handle(TODO, CreateTodo("milk"))
    with pytest.raises(VersionConflict):
        await handler.handle(TODO, UpdateTodo("bread"), expected=7, key="k")
    assert (await handler.handle(TODO, UpdateTodo("bread"), expected=1, key="k")).version == 2


async def test_a_key_makes_a_lost_answer_harmless(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    store.lose_answers = 1
    with pytest.raises(StoreUnavailable):
        await handler.handle(TODO, DeleteTodo(), key="k")
    assert (await handler.handle(TODO, DeleteTodo(), key="k")).version == 2
    assert store.types() == ["Created", "Deleted"]


async def test_a_deleted_todo_refuses_a_new_key(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    await handler.handle(TODO, DeleteTodo())
    with pytest.raises(TodoNotFound):
        await handler.handle(TODO, DeleteTodo(), key="k")
    assert store.types() == ["Created", "Deleted"]


async def test_a_long_stream_is_read_page_by_page(store: SpiedStore, handler: TodoHandler) -> None:
    await handler.handle(TODO, CreateTodo("milk"))
    for _ in range(PAGE):
        await handler.handle(TODO, UpdateTodo("bread"))
    assert (await TodoHandler(store).handle(TODO, UpdateTodo("eggs"))).version == PAGE + 2
    assert store.reads == 2


async def test_only_so_many_snapshots_are_remembered(store: SpiedStore) -> None:
    handler = TodoHandler(store, cached=2)
    todos = [new_todo_id() for _ in range(3)]
    for todo in todos:
        await handler.handle(todo, CreateTodo("milk"))
    await handler.handle(todos[2], UpdateTodo("bread"))
    assert store.reads == 0
    await handler.handle(todos[0], UpdateTodo("bread"))
    assert store.reads == 1


async def test_a_deleted_todo_is_forgotten_and_what_is_asked_of_it_later_still_refused(store: SpiedStore) -> None:
    handler = TodoHandler(store)
    await handler.handle(TODO, CreateTodo("milk"))
    await handler.handle(TODO, DeleteTodo(), key="first")
    for command in (UpdateTodo("bread"), DeleteTodo()):
        with pytest.raises(TodoNotFound):
            await handler.handle(TODO, command)
        with pytest.raises(TodoNotFound):
            await handler.handle(TODO, command, expected=1)
    assert (await handler.handle(TODO, DeleteTodo(), key="first")).replayed
    assert store.types() == ["Created", "Deleted"]
    # Each looked for itself: nothing of the todo is kept.
    assert store.reads == 5


async def test_as_many_deletions_as_there_may_be_leave_no_snapshot() -> None:
    cache = SnapshotCache(2)
    cache.put("a", Snapshot(1, TodoState.ACTIVE))
    cache.put("b", Snapshot(1, TodoState.ACTIVE))
    for stream in "abc":
        cache.put(stream, Snapshot(2, TodoState.DELETED))
    assert len(cache) == 0
    assert cache.get("a") is None
