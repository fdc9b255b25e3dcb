"""The faults of the network: their orders, their proof, and what is refused before anything begins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.faults import (
    network,
    network_cut,
    network_half_open,
    network_latency,
    network_notifications,
    network_reset,
    network_slow,
)
from bench.faults.relay import disturbed
from bench.faults.relay.disturbed import Disturbed
from bench.faults.relay.outage import Outage
from bench.faults.relay.strike import Seen
from bench.platforms.platform import LacksPower, System
from bench.platforms.postgres.network import Network, Order, Told
from bench.preflight.settings import Settings
from bench.trial import fault
from bench.trial.fault import NotApplicable, Plan

STATS = {"totalEventsProjected": 1, "backlog": 1}
WELL = Order(network=Network())
IN_TURN = (network_latency, network_slow, network_notifications, network_cut, network_reset, network_half_open)


class Counted:
    """A relay that counts what it is told to, and keeps the orders that changed something."""

    kind = "network"
    name = "relay"
    holder = ""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.told = Told()

    def disturb(self, order: Order) -> Told:
        if order != Order():
            self.orders.append(order)
        return self.told

    def logs(self) -> str:
        return ""


def system(*parts: Any, **variables: str) -> System:
    anything: Any = None
    platform: Any = SimpleNamespace(name="local", parts=lambda: list(parts))
    return System(platform, Settings.from_env(variables), "", anything, anything, anything, anything, None)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time by which strikes last; `now` may be set."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(disturbed, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=lambda _: None))
    return clock


def made(one: Disturbed, relay: Counted) -> Disturbed:
    one.set_up(system(relay))
    return one


def test_one_strike_lasts_its_time_and_is_healed(clock: Any) -> None:
    relay = Counted()
    one = made(network_half_open.Fault(), relay)
    assert one.invoke(STATS)
    assert relay.orders == [network_half_open.STRIKE.order]
    relay.told = Told(half_open=7, swallowed_up=900)
    clock.now += 0.5
    assert not one.watch(None)
    relay.told = Told(half_open=0, swallowed_up=1000)
    clock.now += 0.6
    assert one.watch(None)
    one.heal()
    assert relay.orders[1:] == [WELL]
    clock.now += 1.4
    assert one.watch(STATS)
    found = one.evidence({})
    assert found.hit
    assert "7 connection(s) were half-open: 1,000 bytes stayed without an answer" in found.what
    assert "no statistics for 2.5 s, answered 1.5 s after the heal (stated bound 10.0 s)" in found.what


def test_strikes_follow_each_other_once_the_api_answers(clock: Any) -> None:
    relay = Counted()
    one = made(network.Fault(), relay)
    one.invoke(STATS)
    relay.told = Told(under_way=1, delayed=1)
    for stats in [STATS, None, STATS] * 40:
        clock.now += 0.3
        if one.watch(stats):
            one.heal()
    struck = [order for order in relay.orders if order not in (WELL, disturbed.HELD)]
    wanted = [each.STRIKE.order for each in IN_TURN]
    assert [(order.network, order.end) for order in struck] == [(order.network, order.end) for order in wanted]
    assert relay.orders[-1] == WELL
    assert not one.evidence({}).hit, "the relay has counted nothing of most of them"


def test_what_only_projectors_are_sent_is_not_struck_where_there_is_none(clock: Any) -> None:
    alone, mixed = network_notifications.Fault(), network.Fault()
    with pytest.raises(NotApplicable, match="no projector"):
        alone.set_up(system(Counted(), TARGET="crud"))
    relay = Counted()
    mixed.set_up(system(relay, TARGET="crud"))
    mixed.invoke(STATS)
    for _ in range(100):
        clock.now += 0.3
        if mixed.watch(STATS):
            break
    assert Network(notifications=False) not in [order.network for order in relay.orders]
    assert "notifications" not in mixed.evidence({}).what


def test_after_a_run_that_ended_early_nothing_is_struck_any_more(clock: Any) -> None:
    relay = Counted()
    one = made(network.Fault(), relay)
    one.invoke(STATS)
    one.heal()
    for _ in range(10):
        clock.now += 1
        assert one.watch(STATS)
    assert relay.orders[1:] == [WELL]
    assert not one.evidence({}).hit


@pytest.mark.parametrize("name", [name for name in fault.names() if name.startswith("network")])
def test_a_relay_that_counted_nothing_shows_no_hit(name: str, clock: Any) -> None:
    assert fault.relayed(Plan(name, 1.0))
    relay = Counted()
    found: Any = fault.load(name)
    made(found, relay).invoke(STATS)
    for _ in range(100):
        clock.now += 1
        if found.watch(STATS):
            break
    found.heal()
    assert not found.evidence({}).hit
    assert "nothing that it could strike" in found.evidence({}).what


def test_only_faults_of_the_network_have_a_relay() -> None:
    assert not fault.relayed(None)
    assert not fault.relayed(Plan("kill-api", 1.0))
    assert "relay" not in fault.names()


def test_without_a_relay_or_a_postgres_it_is_refused() -> None:
    with pytest.raises(LacksPower, match="platform local: has no power to disturb the network"):
        network_cut.Fault().set_up(system())
    with pytest.raises(NotApplicable, match="has no Postgres"):
        network_cut.Fault().set_up(system(Counted(), TARGET="empty"))


def test_a_cut_needs_statements_under_way_and_silence_needs_bytes() -> None:
    assert network_cut.STRIKE.told(Seen(ended=3, under_way=1))
    assert not network_cut.STRIKE.told(Seen(ended=3))
    assert not network_half_open.STRIKE.told(Seen(half_open=3))
    assert not network_notifications.STRIKE.told(Seen(delayed=3, under_way=3))


def test_an_outage_is_as_long_as_nothing_is_seen_to_go_on() -> None:
    seen = Outage()
    seen.note({"totalEventsProjected": 5, "backlog": 2}, 10.0)
    seen.note(None, 11.0)
    seen.lasts_until(12.5)
    seen.note(None, 12.0)
    seen.note({"totalEventsProjected": 5, "backlog": 3, "projectors": [{"listening": False}]}, 13.0)
    assert (seen.api_s, seen.answered_s, seen.projection_s, seen.deaf) == (3.0, 0.5, 0.0, 1)
    seen.note({"totalEventsProjected": 6, "backlog": 3, "projectors": [{"listening": True}]}, 15.0)
    seen.note({"totalEventsProjected": 6, "backlog": 0}, 15.5)
    assert (seen.api_s, seen.projection_s, seen.deaf) == (3.0, 5.0, 1)
