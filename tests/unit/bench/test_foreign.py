"""What faults of the store are made of: a span that is always undone, standstills by counts, hits by proof alone."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from bench.ends.errors import RunFailed
from bench.oracle.database import connect
from bench.platforms.local.parts import Server
from bench.platforms.platform import Backends, Disk, Kill, LacksPower, Pause, Start, System
from bench.trial.fault import NotApplicable, load
from bench.trial.foreign import session, span
from bench.trial.foreign.refusals import refusals, slowest_s, unacknowledged
from bench.trial.foreign.span import Span
from bench.trial.foreign.standstill import Standstill
from bench.trial.foreign.transactions import kind

EVERY = (
    *("deadlock-storm", "freeze-backend", "full-disk", "kill-backend", "late-commit", "no-connections", "read-only"),
    *("stalled-transaction", "timeouts"),
)
REFUSED = {"acknowledged": {"indeterminate": 3}, "latency_ms": {"actions": {"max": 2900.0}}}
NOWHERE: Any = SimpleNamespace(logins=None, has_store=True, settings=SimpleNamespace(seed=1))


def stats(events: int, projected: int) -> dict[str, int]:
    return {"eventCount": events, "totalEventsProjected": projected, "backlog": events - projected}


def seen(*looks: tuple[float, dict[str, int] | None]) -> Standstill:
    """What came of looks at these moments."""
    moments: Iterator[float] = iter([at for at, look in looks if look is not None])
    found = Standstill(lambda: next(moments))
    for _, look in looks:
        found.note(look)
    return found


def test_a_projection_stands_while_there_is_a_backlog_and_nothing_is_projected() -> None:
    found = seen((0, stats(10, 5)), (1, stats(20, 5)), (2, stats(30, 5)), (2.5, stats(30, 6)), (3, stats(30, 6)))
    assert (found.projection_s, found.log_s) == (2, 1)


def test_one_without_a_backlog_stands_not_however_long_it_has_nothing_to_do() -> None:
    assert seen((0, stats(5, 5)), (9, stats(5, 5)), (10, stats(6, 5)), (11, stats(6, 6))).projection_s == 0


def test_the_same_count_on_both_sides_of_a_silence_is_one_standstill() -> None:
    found = seen((0, stats(9, 4)), (1, None), (4, stats(9, 4)), (5, stats(10, 5)))
    assert (found.log_s, found.projection_s) == (4, 4)
    assert found.projection == "the projection stood for 4.0 s at most"


class Session:
    """A session of a server that answers, or does not."""

    def __init__(self) -> None:
        self.answers, self.closed = True, False

    def rows(self, statement: str, *_: Any) -> list[str]:
        if not self.answers:
            raise TimeoutError
        return [statement]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions that were opened."""
    made: list[Session] = []

    def open_one(*_: Any, **__: Any) -> Session:
        made.append(Session())
        return made[-1]

    monkeypatch.setattr(span, "session", open_one)
    return made


def test_a_span_undoes_what_it_began_the_last_first_and_once(opened: list[Session]) -> None:
    lasting, undone = Span(0.0), list[str]()
    with lasting.begin(NOWHERE):
        lasting.opened.callback(undone.append, "first")
        lasting.opened.callback(undone.append, "second")
        assert not lasting.lasting
    assert lasting.lasting
    assert lasting.note(stats(1, 1))
    lasting.end()
    lasting.end()
    assert undone == ["second", "first"]
    assert opened[0].closed
    assert (lasting.lasting, lasting.note(None), lasting.elapsed_s) == (False, False, 0.0)


@pytest.mark.parametrize(
    ("error", "raised"), [(KeyboardInterrupt(), KeyboardInterrupt), (asyncpg.PostgresError("no"), RunFailed)]
)
def test_a_strike_that_is_broken_off_is_undone_at_once(
    error: BaseException, raised: type[BaseException], opened: list[Session]
) -> None:
    lasting, undone = Span(1.0), list[str]()

    def strike() -> None:
        with lasting.begin(NOWHERE):
            lasting.opened.callback(undone.append, "it")
            raise error

    with pytest.raises(raised):
        strike()
    assert (undone, lasting.lasting, opened[0].closed) == (["it"], False, True)


def test_what_can_not_be_undone_is_told_as_a_failure_of_the_run(opened: list[Session]) -> None:
    def refuse() -> None:
        raise asyncpg.PostgresError("no such database")

    lasting = Span(1.0)
    with lasting.begin(NOWHERE):
        lasting.opened.callback(refuse)
    with pytest.raises(RunFailed, match="the fault could not be undone: no such database"):
        lasting.end()
    assert opened[0].closed


def test_a_look_without_an_answer_is_none_and_the_next_is_by_a_new_session(opened: list[Session]) -> None:
    lasting = Span(1.0)
    with lasting.begin(NOWHERE):
        pass
    opened[0].answers = False
    assert lasting.look("SELECT 1") is None
    assert lasting.look("SELECT 2") == cast(Any, ["SELECT 2"])
    assert [one.closed for one in opened] == [True, False]
    lasting.end()


@pytest.mark.parametrize("name", EVERY)
def test_nothing_has_hit_that_was_not_seen_to(name: str) -> None:
    """However many writes were refused meanwhile, by whatever."""
    fault = load(name)
    found = fault.evidence(REFUSED)
    assert not found.hit, found.what
    assert set(fault.defaults("global-order")) <= {"SILENCE_MAX", "SKEW", "DURATION"}
    assert not fault.watch(None)
    fault.heal()


@pytest.mark.parametrize("name", ["read-only", "full-disk", "no-connections"])
def test_a_store_that_refused_nobody_was_not_hit(name: str) -> None:
    fault: Any = load(name)
    fault.refused = True
    fault.span.standstill.log_s = 2.0
    assert not fault.evidence({}).hit
    assert fault.evidence(REFUSED).hit


@pytest.mark.parametrize(("elapsed_s", "stood_s", "over"), [(4.0, 0.4, False), (4.0, 1.0, True), (12.0, 0.0, True)])
def test_a_disk_is_full_until_the_log_stood_still_or_for_long(elapsed_s: float, stood_s: float, over: bool) -> None:
    fault: Any = load("full-disk")
    fault.refused = True
    standstill = SimpleNamespace(log_s=stood_s)
    fault.span = SimpleNamespace(lasting=True, elapsed_s=elapsed_s, standstill=standstill, note=lambda _: True)
    assert fault.watch(None) is over
    assert f"was full for {elapsed_s} s" in fault.evidence({}).what


@pytest.mark.parametrize("name", EVERY)
def test_a_target_without_a_postgres_within_reach_has_nothing_to_strike(name: str) -> None:
    platform: Any = SimpleNamespace(name="theirs", parts=lambda: [SimpleNamespace(kind="postgres")])
    given: Any = dict.fromkeys(("postgres", "doctor", "processes", "influx"))
    system = System(platform=platform, settings=NOWHERE.settings, base_url="", logins=None, **given)
    with pytest.raises((NotApplicable, LacksPower)):
        load(name).set_up(system)


async def test_a_time_limit_of_the_database_keeps_no_session_from_setting_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[tuple[str, ...]] = []

    class Opened:
        async def execute(self, _: str, *values: str) -> None:
            said.append(values)
            if len(said) < 3:
                raise asyncpg.QueryCanceledError

    async def opened(**_: Any) -> Opened:
        return Opened()

    monkeypatch.setattr(asyncpg, "connect", opened)
    await connect("postgresql://owner@127.0.0.1/db", statement_timeout="5s", lock_timeout="0")
    assert said == [("statement_timeout", "5s", "lock_timeout", "0")] * 3


def test_a_table_of_another_target_is_nobodys() -> None:
    with pytest.raises(NotApplicable, match="tables of our own store"):
        session.require_store(cast(Any, SimpleNamespace(has_store=False)))


def test_a_local_server_has_its_powers_and_can_not_be_paused_whole() -> None:
    server = Server(cast(Any, SimpleNamespace()), cast(Any, None))
    assert all(isinstance(server, power) for power in (Start, Kill, Backends, Disk))
    assert not isinstance(server, Pause)
    server.empty_disk()
    server.fill_disk()
    server.thaw(1)


@pytest.mark.parametrize(("power", "words"), [(Backends, "freeze a backend of"), (Disk, "give a small file system to")])
def test_a_power_over_a_server_that_is_lacking_is_refused_by_its_name(power: type, words: str) -> None:
    part: Any = SimpleNamespace(kind="postgres", name="postgres")
    platform: Any = SimpleNamespace(name="theirs", parts=lambda: [part])
    given: Any = dict.fromkeys(("postgres", "doctor", "processes", "influx", "logins", "settings"))
    system = System(platform=platform, base_url="", **given)
    refusals = (
        lambda: system.require("postgres", power),
        lambda: system.freeze_backend(part, 1) if power is Backends else system.disk(part),
    )
    for refusal in refusals:
        with pytest.raises(LacksPower, match=f"has no power to {words} the postgres"):
            refusal()


def test_a_session_is_known_by_its_process() -> None:
    assert [kind(name) for name in ("api", "projector p-1 listener", "")] == ["api", "projector", "a session"]


def test_what_the_load_generator_counts() -> None:
    assert (unacknowledged(REFUSED), unacknowledged({})) == (3, 0)
    assert refusals(REFUSED) == "3 write(s) were not acknowledged"
    told = refusals({**REFUSED, "errors": {"503": 7, "cut off": 1}})
    assert told == "3 write(s) were not acknowledged; failed requests by kind: 503: 7, cut off: 1"
    assert (slowest_s(REFUSED), slowest_s({})) == (2.9, 0.0)
