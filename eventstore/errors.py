"""The family of errors that the event store raises, and what each one means for the caller.

    StoreError
    ├── VersionConflict       the stream was not at the expected version; nothing was written
    ├── KeyReused             the idempotency key was used before with other content; nothing was written
    ├── InvalidEvent          something that the store can not hold, or an append of no events; nothing was written
    ├── LeaseLost             the lease ended or passed to another holder; nothing was written
    └── StoreUnavailable      no answer from the store; the write is *indeterminate*
        ├── StoreBusy         a lock, a deadlock, a conflict: it passes by itself; nothing was written
        │   └── TimeLimit     a time limit of the server; nothing was written, and less at once may pass
        ├── NoAnswerInTime    our own time limit for a statement passed: given up
        └── StoreUnsound      something that the store's promises rest on does not hold; nothing was tried

None of StoreUnavailable says anything of an event. Driver errors are translated into this family in one place,
`eventstore.connection.database.translate`, by the table in `eventstore.sqlstates`.
"""

from __future__ import annotations


class StoreError(Exception):
    """Any refusal or failure of the event store."""


class VersionConflict(StoreError):
    """The stream's head was not the expected version. Nothing was written; `actual` is the head seen."""

    def __init__(self, stream: str, expected: int, actual: int | None) -> None:
        self.stream = stream
        self.expected = expected
        self.actual = actual
        seen = "another version" if actual is None else f"version {actual}"
        super().__init__(f"stream {stream!r} was expected at version {expected}, but is at {seen}")


class KeyReused(StoreError):
    """The idempotency key belongs to an earlier append with other content. Nothing was written."""

    def __init__(self, key: str, stream: str) -> None:
        self.key = key
        self.stream = stream
        super().__init__(f"idempotency key {key!r} was used before with other content, on stream {stream!r}")


class InvalidEvent(StoreError):
    """Not an append that the store can hold: no events, a NUL character, NaN, … (`content`). Nothing was written."""


class LeaseLost(StoreError):
    """The holder no longer owns the lease. Nothing was written."""


class StoreUnavailable(StoreError):
    """The store gave no answer. What was asked may or may not have been committed."""


class StoreBusy(StoreUnavailable):
    """Something that passes kept the store from it: a lock, a deadlock, a conflict. Nothing was written."""


class TimeLimit(StoreBusy):
    """A time limit of the server (`statement_timeout`, …) ended the statement. Nothing was written."""


class NoAnswerInTime(StoreUnavailable):
    """The statement was given up after the time that its `Database` allows. It may have been committed."""


class StoreUnsound(StoreUnavailable):
    """Something that the store's promises rest on does not hold (`eventstore.soundness`). Nothing was tried."""
