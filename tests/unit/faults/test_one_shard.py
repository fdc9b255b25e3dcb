"""A fault that strikes one shard of several: the last, its server, the way to it, and its own counts as evidence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.oracle.read_store import shard_of
from bench.platforms import http_client
from bench.platforms.local.kind import Ours
from bench.platforms.local.system import Local
from bench.platforms.platform import System
from bench.platforms.postgres.logins import Logins
from bench.platforms.targets.processes import Line
from bench.preflight.settings import Settings
from bench.trial.fault import Evidence, NotApplicable, Plan
from bench.trial.foreign import operator, session
from bench.trial.injection import inject, shard
from bench.trial.injection.inject import Injection
from tests.unit.faults.fakes import stats

EVENTS = [{"stream": f"todo-{number}"} for number in range(8)]
SUMS = stats(eventCount=1000, totalEventsProjected=900, backlog=100, lastEvents=EVENTS)
OWN = {"eventCount": 400, "totalEventsProjected": 390, "backlog": 10}
SHOWN = {**SUMS, **OWN, "lastEvents": [one for one in EVENTS if shard_of(one["stream"], 2) == 1]}


def system(shards: int) -> System:
    """One on as many servers, with a relay before the last."""
    anything: Any = None
    logins = [Logins.made(f"postgresql://owner@server-{number}/db") for number in range(shards)]
    names = [("postgres", f"postgres-{number}") for number in range(shards)]
    parts = [SimpleNamespace(kind=kind, name=name) for kind, name in [*names, ("api", "api"), ("network", "relay")]]
    platform: Any = SimpleNamespace(name="local", parts=lambda: parts)
    settings = Settings.from_env({"SHARDS": str(shards)})
    return System(platform, settings, "", logins[0], anything, anything, anything, None, further=tuple(logins[1:]))


class Store:
    """The connection to a shard, which answers or does not."""

    opened: list[str]
    answers = True

    def __init__(self, url: str, **_: Any) -> None:
        Store.opened.append(url)
        self.closed = False

    def rows(self, _: str) -> list[Mapping[str, int]]:
        if not Store.answers:
            raise TimeoutError
        return [OWN]

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> type[Store]:
    Store.opened, Store.answers = [], True
    monkeypatch.setattr(shard, "OpenConnection", Store)
    return Store


class Fault:
    """Keeps what it is given and shown."""

    def __init__(self, sharded: str | None) -> None:
        if sharded is not None:
            self.sharded = sharded
        self.given: list[System] = []
        self.shown: list[Any] = []

    def set_up(self, system: System) -> None:
        self.given.append(system)

    def invoke(self, seen: Any) -> bool:
        self.shown.append(seen)
        return True

    def watch(self, seen: Any) -> bool:
        self.shown.append(seen)
        return False

    def evidence(self, loadgen: Mapping[str, Any]) -> Evidence:
        return Evidence(hit=True, what="struck")


def struck(monkeypatch: pytest.MonkeyPatch, fault: Fault, whole: System, seen: Any = SUMS) -> Injection:
    monkeypatch.setattr(inject, "load", lambda _: fault)
    monkeypatch.setattr(http_client, "figures", lambda _: seen)
    injection = Injection(Plan("made-up", after_s=0.0), whole)
    injection.tick(1.0, 0.0)
    return injection


def test_the_last_shard_alone_has_its_logins_and_its_server_and_knows_all_addresses() -> None:
    whole = system(3)
    last = whole.last_shard()
    assert session.address(last) == "postgresql://owner@server-2/db"
    assert last.shards == whole.shards
    assert [part.name for part in last.parts("postgres")] == ["postgres-2"]
    assert [part.name for part in last.parts("api") + last.parts("network")] == ["api", "relay"]
    assert len(whole.parts("postgres")) == 3


def test_one_that_strikes_the_last_is_shown_the_counts_of_that_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, fault = system(2), Fault("last")
    injection = struck(monkeypatch, fault, whole)
    (given,) = fault.given
    assert given.logins == whole.shards[1]
    assert fault.shown == [SHOWN] * 2
    assert 0 < len(SHOWN["lastEvents"]) < len(EVENTS)
    assert Store.opened == [whole.shards[1].oracle]
    found = injection.end({})
    assert found is not None
    assert found.what == "struck (shard 1 of 2)"


def test_a_shard_that_tells_nothing_is_as_an_api_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault("last")
    injection = struck(monkeypatch, fault, system(2))
    Store.answers = False
    injection.tick(2.0, 0.0)
    Store.answers = True
    injection.tick(3.0, 0.0)
    assert fault.shown[2:] == [None, SHOWN]
    assert len(Store.opened) == 2


@pytest.mark.parametrize(("sharded", "shards"), [("all", 2), ("last", 1), (None, 1)])
def test_any_other_is_given_the_system_as_it_is_and_shown_its_sums(
    sharded: str | None, shards: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, fault = system(shards), Fault(sharded)
    injection = struck(monkeypatch, fault, whole)
    assert fault.given == [whole]
    assert fault.given[0] is whole
    assert fault.shown == [SUMS, SUMS]
    assert Store.opened == []
    found = injection.end({})
    assert found is not None
    assert found.what == "struck"


def test_shards_that_can_not_be_reached_are_struck_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere, fault = replace(system(2), logins=None, further=()), Fault("last")
    struck(monkeypatch, fault, nowhere)
    assert fault.given == [nowhere]
    with pytest.raises(NotApplicable, match="no Postgres that can be reached"):
        session.address(fault.given[0])


def test_what_is_waited_for_in_the_end_is_all_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OWN, "backlog", 0)
    moments = itertools.count()
    now = SimpleNamespace(time=lambda: 1.0, monotonic=lambda: next(moments), sleep=lambda _: None)
    monkeypatch.setattr(inject, "time", now)
    whole, last = struck(monkeypatch, Fault("all"), system(2)), struck(monkeypatch, Fault("last"), system(2))
    assert not whole.settle(10)
    assert not last.settle(10)
    monkeypatch.setattr(http_client, "figures", lambda _: {**SUMS, "backlog": 0})
    assert last.settle(10)


def test_a_command_over_all_streams_is_for_the_shard_alone_and_one_for_a_stream_finds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[tuple[list[str], str]] = []

    def start(_: str, line: list[str], env: Mapping[str, str]) -> Any:
        begun.append((line[2:], env["DATABASE_URLS"]))
        return SimpleNamespace()

    whole = system(2)
    anything: Any = SimpleNamespace(start=start)
    object.__setattr__(whole, "processes", anything)
    for one in (whole.last_shard(), whole):
        operator.Command.begin(one, "reset", "--all")
        operator.Command.begin(one, "reset", "todo-1")
    told = [" ".join(words) for words, _ in begun]
    assert told == ["reset --all --shard 1 --json", "reset todo-1 --json", "reset --all --json", "reset todo-1 --json"]
    assert {urls for _, urls in begun} == {" ".join(logins.operator for logins in whole.shards)}


class Lines:
    """What each process is told of its database."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[str | None, str | None]] = {}

    def of(self, _: Any, base: Mapping[str, str], *, name: str, database: str | None = None, **__: Any) -> Line:
        self.told[name.partition("-")[0]] = (base.get("DATABASE_URLS"), database)
        return Line(command=[], environment={}, cwd=Path())


@pytest.mark.parametrize("shards", [1, 2])
def test_services_reach_the_last_shard_through_the_relay_and_the_others_directly(shards: int, tmp_path: Path) -> None:
    logins = system(shards).shards
    database: Any = SimpleNamespace(logins=logins[0], shards=[SimpleNamespace(logins=one) for one in logins])
    process: Any = SimpleNamespace(pid=1)
    processes: Any = SimpleNamespace(
        run=lambda *_, **__: None, start=lambda *_, **__: process, wait_until=lambda *_: None
    )
    settings = Settings.from_env({"SHARDS": str(shards)})
    own, lines = Ours(settings, tmp_path), Lines()
    own.reached(database, processes)
    there: Any = lines
    relay: Any = SimpleNamespace(address=lambda url: f"{url}?relayed", kind="network")
    local = Local(settings, "", there, own, processes, [], relay)
    local.migrate()
    local.start_api()
    local.start_projector(1)
    first, last = logins[0], logins[-1]
    if shards == 1:
        assert lines.told == {
            "migrate": (None, first.owner),
            "api": (None, f"{first.api}?relayed"),
            "projector": (None, f"{first.projector}?relayed"),
        }
        return
    assert lines.told == {
        "migrate": (f"{first.owner} {last.owner}", first.owner),
        "api": (f"{first.api} {last.api}?relayed", first.api),
        "projector": (f"{first.projector} {last.projector}?relayed", first.projector),
    }
