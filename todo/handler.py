"""Command handler: load, decide, append; on a version conflict again, a bounded number of times.

What an idempotency key means here:

* it names one command on one todo, by content (`fingerprint`); a create has no todo yet, so its text is its content;
* a command that was acknowledged once gives the same answer for its key for ever, also when the todo has moved on or
  was deleted since, and writes nothing;
* a command that was refused leaves no trace of its key: it may come again and succeed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from typing import Final
from weakref import WeakValueDictionary

from eventstore.contract import StreamStore
from eventstore.errors import VersionConflict
from eventstore.events import NO_STREAM, Appended, ExpectedVersion, IdempotencyKey, NewEvent
from todo.commands import CreateTodo, TodoCommand
from todo.decisions import decide, evolve, fold, intent
from todo.errors import TodoNotFound
from todo.events import TodoEvent, from_data, to_data
from todo.snapshots import Snapshot, SnapshotCache

PAGE: Final = 1000

MOST_CACHED: Final = 100_000
"""Snapshots of todos that live, 225 bytes each."""


def new_todo_id(key: str | None = None) -> str:
    """The id of a todo yet to be created, which is also the name of its stream.

    With an idempotency key it is made of the key, so that a create that is repeated names the same stream, and so is
    brought to the same shard.
    """
    digits = secrets.token_hex(16) if key is None else hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"todo-{digits}"


def fingerprint(stream: str, command: TodoCommand) -> str:
    """What an idempotency key stands for: the same command on the same todo has the same fingerprint."""
    target = None if isinstance(command, CreateTodo) else stream
    event_type, data = to_data(intent(command))
    return hashlib.sha256(json.dumps([event_type, target, data]).encode()).hexdigest()


class TodoHandler:
    """Handles commands against one store.

    Remembers up to `cached` snapshots; tries a command without an expected version again up to `retries` times.
    """

    def __init__(self, store: StreamStore, *, cached: int = MOST_CACHED, retries: int = 20) -> None:
        self._store = store
        self._snapshots = SnapshotCache(cached)
        self._retries = retries
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def handle(
        self, stream: str, command: TodoCommand, *, expected: int | None = None, key: str | None = None
    ) -> Appended:
        """Append what the command causes. Returns after the commit.

        With `expected` the todo must be at that version. Without, a conflict with another writer is tried again on
        the new state.

        Raises TodoNotFound, VersionConflict or KeyReused (nothing written), StoreUnavailable (indeterminate).
        """
        claim = None if key is None else IdempotencyKey(key, fingerprint(stream, command))
        if isinstance(command, CreateTodo):
            return await self._append(stream, Snapshot(), decide(Snapshot().state, command), claim)
        try:
            return await self._attempt(stream, command, expected, claim)
        except VersionConflict:
            if expected is not None or not self._retries:
                raise
        return await self._in_turn(stream, command, claim)

    async def _in_turn(self, stream: str, command: TodoCommand, claim: IdempotencyKey | None) -> Appended:
        """Try again. Contenders of this process form a line, so that each meets those of other processes only."""
        async with self._turns.setdefault(stream, asyncio.Lock()):
            left = self._retries
            while True:
                left -= 1
                try:
                    return await self._attempt(stream, command, None, claim)
                except VersionConflict:
                    if not left:
                        raise

    async def _attempt(
        self, stream: str, command: TodoCommand, expected: int | None, claim: IdempotencyKey | None
    ) -> Appended:
        snapshot = await self._load(stream, expected)
        try:
            events = self._judge(stream, snapshot, command, expected)
        except (TodoNotFound, VersionConflict) as refusal:
            if claim is None or not snapshot.version:
                raise
            return await self._replay(stream, command, claim, refusal)
        try:
            return await self._append(stream, snapshot, events, claim)
        except VersionConflict:
            await self._catch_up(stream, snapshot)
            raise

    @staticmethod
    def _judge(stream: str, snapshot: Snapshot, command: TodoCommand, expected: int | None) -> list[TodoEvent]:
        events = decide(snapshot.state, command)
        if expected is not None and expected != snapshot.version:
            raise VersionConflict(stream, expected, snapshot.version)
        return events

    async def _append(
        self, stream: str, snapshot: Snapshot, events: list[TodoEvent], claim: IdempotencyKey | None
    ) -> Appended:
        new = [NewEvent(*to_data(event)) for event in events]
        appended = await self._store.append(stream, new, expected=ExpectedVersion(snapshot.version), key=claim)
        if not appended.replayed:
            self._snapshots.put(stream, Snapshot(appended.version, fold(events, snapshot.state)))
        return appended

    async def _replay(
        self, stream: str, command: TodoCommand, claim: IdempotencyKey, refusal: TodoNotFound | VersionConflict
    ) -> Appended:
        """The first answer for the key, or the refusal. The stream exists, so NO_STREAM can not but conflict."""
        try:
            return await self._store.append(
                stream, [NewEvent(*to_data(intent(command)))], expected=NO_STREAM, key=claim
            )
        except VersionConflict:
            raise refusal from None

    async def _load(self, stream: str, expected: int | None) -> Snapshot:
        known = self._snapshots.get(stream)
        if known is None:
            return await self._read(stream, Snapshot())
        if expected is None or expected == known.version:
            return known
        return await self._catch_up(stream, known)

    async def _catch_up(self, stream: str, known: Snapshot) -> Snapshot:
        """Follow the stream from `known` on. When nothing followed, `known` is in doubt, and all is read anew."""
        latest = await self._read(stream, known)
        if latest.version > known.version:
            return latest
        self._snapshots.drop(stream)
        return await self._read(stream, Snapshot())

    async def _read(self, stream: str, snapshot: Snapshot) -> Snapshot:
        version, state = snapshot.version, snapshot.state
        while True:
            page = await self._store.read_stream(stream, after=version, limit=PAGE)
            for stored in page:
                version, state = stored.version, evolve(state, from_data(stored.type, stored.data))
            if len(page) < PAGE:
                break
        latest = Snapshot(version, state)
        if latest.version:
            self._snapshots.put(stream, latest)
        return latest
