"""Snapshot cache (least recently used goes first): the state of a stream at a version, so that less is read again.

Nothing that must be right: an entry may be stale; the expected version of the append is what finds that out. A todo
that was deleted has no entry: nothing can be written to it any more, and whoever still tries has it read again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from todo.decisions import TodoState


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a todo at a version of its stream; version 0 is before the first event."""

    version: int = 0
    state: TodoState = TodoState.ABSENT


class SnapshotCache:
    """The most recently used snapshots of todos that live, at most `capacity`."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, Snapshot] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, stream: str) -> Snapshot | None:
        """The snapshot, if it is remembered."""
        snapshot = self._entries.get(stream)
        if snapshot is not None:
            self._entries.move_to_end(stream)
        return snapshot

    def put(self, stream: str, snapshot: Snapshot) -> None:
        """Remember the snapshot, unless a later version is remembered already; forget a todo that was deleted."""
        if snapshot.state is TodoState.DELETED:
            self.drop(stream)
            return
        known = self._entries.get(stream)
        if known is None or known.version <= snapshot.version:
            self._entries[stream] = snapshot
            self._entries.move_to_end(stream)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def drop(self, stream: str) -> None:
        """Forget the stream."""
        self._entries.pop(stream, None)
