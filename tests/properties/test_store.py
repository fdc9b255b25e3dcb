"""Chance attacks the store: writers, projectors, time and crashes in any order, in memory and on Postgres side by side.

After each step the rules that must always hold are checked (`Twins.check`), and those on the way from step to step: no
stream is leased twice at one moment, an epoch only grows, a checkpoint never moves back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from eventstore.events import Appended, IdempotencyKey, NewEvent
from projection.leases.contract import Lease
from tests.properties.conftest import Stage
from tests.properties.effort import effort
from tests.properties.twins import Twins, Want

NOON = datetime(2040, 1, 1, 12, tzinfo=UTC)
TTL = timedelta(seconds=5)
STREAMS = ("b", "a", "ä", "C")
HOLDERS = ("one", "two")

streams = st.sampled_from(STREAMS)
holders = st.sampled_from(HOLDERS)
keys = st.none() | st.builds(IdempotencyKey, st.sampled_from("kl"), st.sampled_from(("body", "other")))
batches = st.lists(st.builds(NewEvent, st.sampled_from("AB"), st.fixed_dictionaries({"n": st.integers()})), max_size=3)
off_by = st.sampled_from((0, 0, 0, 0, 1, -1, 5))


class StoreMachine(RuleBasedStateMachine):
    """What the world does to a store. `granted` holds every lease ever given out, stale ones too."""

    stage: ClassVar[Stage]

    def __init__(self) -> None:
        super().__init__()
        self.run = self.stage.run
        self.twins = self.run(Twins.fresh(self.stage.one, self.stage.other))
        self.tied = False
        self.now = NOON
        self.granted: list[Lease] = []
        self.running: dict[str, tuple[Lease, datetime]] = {}
        self.last: dict[str, tuple[int, int]] = {}

    def pick(self, data: st.DataObject, holder: str) -> list[Lease]:
        """Some of the leases that the holder was ever given."""
        own = [lease for lease in self.granted if lease.holder == holder]
        return data.draw(st.lists(st.sampled_from(own), unique_by=lambda one: one.stream, max_size=4)) if own else []

    @rule(stream=streams, events=batches, off=off_by, key=keys, process=st.integers(0, 1))
    def append(self, stream: str, events: list[NewEvent], off: int, key: IdempotencyKey | None, process: int) -> None:
        """One append, perhaps with a wrong version, no events, or a key that was used before."""
        want = Want(stream, tuple(events), self.twins.version(stream) + off, key)
        self.run(self.twins.append([want], process=process))

    @rule(
        some=st.lists(st.tuples(streams, off_by, st.integers(1, 3)), min_size=2, unique_by=lambda want: want[0]),
        process=st.integers(0, 1),
    )
    def append_at_once(self, some: list[tuple[str, int, int]], process: int) -> None:
        """Several at the same moment, to different streams. Which of them waits longest is anybody's guess."""
        self.tied = True
        wants = [Want(s, (NewEvent("A", {}),) * n, self.twins.version(s) + off) for s, off, n in some]
        self.run(self.twins.append(wants, process=process))

    @rule(data=st.data(), process=st.integers(0, 1))
    def replay(self, data: st.DataObject, process: int) -> None:
        """The same append twice: a caller that did not get its answer."""
        stream = data.draw(streams)
        want = Want(
            stream,
            (NewEvent("A", {}),),
            self.twins.version(stream),
            IdempotencyKey(data.draw(st.sampled_from("mnop")), "x"),
        )
        [first] = self.run(self.twins.append([want]))
        [second] = self.run(self.twins.append([want], process=process))
        if isinstance(first, Appended):
            assert second == Appended(first.stream, first.version, first.position, replayed=True)

    @rule(holder=holders, limit=st.integers(1, 4))
    def claim(self, holder: str, limit: int) -> None:
        """A projector looks for work."""
        limit = len(STREAMS) if self.tied else limit
        for lease in self.run(self.twins.claim(holder, limit=limit, ttl=TTL, now=self.now)):
            before = self.running.get(lease.stream)
            assert before is None or before[1] <= self.now, f"{lease} was granted while {before} runs"
            self.running[lease.stream] = lease, self.now + TTL
            self.granted.append(lease)

    @rule(data=st.data(), holder=holders, ttl=st.sampled_from((TTL, TTL / 5)))
    def renew(self, data: st.DataObject, holder: str, ttl: timedelta) -> None:
        """A heartbeat, perhaps of one that has slept too long."""
        for lease in self.run(self.twins.renew(self.pick(data, holder), ttl=ttl, now=self.now)):
            assert self.running[lease.stream][0] == lease
            self.running[lease.stream] = lease, self.now + ttl

    @rule(data=st.data(), holder=holders)
    def acknowledge(self, data: st.DataObject, holder: str) -> None:
        """A projector is done, perhaps too late, perhaps with nonsense."""
        for lease in self.pick(data, holder)[:1]:
            version = data.draw(st.integers(lease.projected - 1, lease.version + 1))
            if self.run(self.twins.acknowledge(lease, version, now=self.now)):
                assert self.running.pop(lease.stream)[0] == lease

    @rule(data=st.data(), holder=holders)
    def release(self, data: st.DataObject, holder: str) -> None:
        """A projector stops in good order."""
        leases = self.pick(data, holder)
        self.run(self.twins.release(leases))
        for lease in leases:
            if lease.stream in self.running and self.running[lease.stream][0] == lease:
                del self.running[lease.stream]

    @rule(holder=holders)
    def crash(self, holder: str) -> None:
        """A projector is gone, with all it knew; its leases run on in the store."""
        self.granted = [lease for lease in self.granted if lease.holder != holder]

    @rule(by=st.sampled_from((timedelta(microseconds=1), TTL / 2, TTL, 3 * TTL)))
    def let_time_pass(self, by: timedelta) -> None:
        """Leases expire by it, and attempts become due."""
        self.now += by

    @rule(stream=streams, blocked=st.booleans(), wait=st.none() | st.sampled_from((TTL / 2, TTL)))
    def set_aside(self, stream: str, blocked: bool, wait: timedelta | None) -> None:
        """A projector failed on the stream, or an operator mends it."""
        if self.twins.version(stream):
            self.run(self.twins.set_aside(stream, blocked=blocked, retry_at=self.now + wait if wait else None))

    @rule(limit=st.integers(1, 5), after=st.integers(0, 4))
    def read(self, limit: int, after: int) -> None:
        """A reader of the log, in windows, and of the streams."""
        self.run(self.twins.compare_log(limit=limit))
        self.run(self.twins.compare_streams(after=after, limit=limit))

    @invariant()
    def hold(self) -> None:
        """The rules of every moment, and those from the last moment to this one."""
        state = self.run(self.twins.check())
        for stream, (projected, epoch) in self.last.items():
            assert state[stream][0] >= projected, f"the checkpoint of {stream} moved back"
            assert state[stream][1] >= epoch, f"the epoch of {stream} fell"
        self.last = state


def test_any_history_ends_alike_in_memory_and_on_postgres(stage: Stage) -> None:
    StoreMachine.stage = stage
    run_state_machine_as_test(StoreMachine, settings=effort(examples=80, steps=30))
