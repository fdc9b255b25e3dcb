"""Each rule broken in turn: found by its name, and no other named but those that can not hold without it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web

from bench.oracle.conformance import check as suite
from bench.oracle.conformance.check import check
from bench.oracle.conformance.rule import REQUIRED
from bench.oracle.conformance.rules import RULES, options
from metrics.records.answers.conformance import Checked
from settings.catalogue.capabilities import CAPABILITIES
from tests.fakes.broken import BREAKS, broken, early
from tests.fakes.broken.events import HIDDEN_S
from tests.fakes.contract import Handler, kind
from tests.fakes.todo_server import FakeTodoServer

PATIENCE_S = 1.0
"""The fake projects within milliseconds."""
PATIENT_S = 10 * HIDDEN_S
"""For a fake that shows events late; nothing else is waited for in vain there."""


async def checked(server: FakeTodoServer, capabilities: Collection[str] | None = CAPABILITIES, **how: Any) -> Checked:
    """Check a server that is started for it."""
    started: AbstractAsyncContextManager[FakeTodoServer] = server
    async with started:
        return await asyncio.to_thread(check, server.base_url, capabilities, **{"patience_s": PATIENCE_S, **how})


def names(found: Checked, *states: str) -> set[str]:
    return {one["rule"] for one in found["rules"] if one["state"] in states}


def told(found: Checked) -> str:
    return "\n".join(
        f"{one['rule']}: {one['sent']} -> {one['came']}" for one in found["rules"] if one["state"] != "held"
    )


async def test_a_sound_target_holds_every_rule_and_proves_every_capability() -> None:
    server = FakeTodoServer()
    found = await checked(server)
    assert found["held"], told(found)
    assert names(found, "held") == {rule.name for rule in RULES}
    assert found["offered"] == list(CAPABILITIES)
    assert found["hints"] == []
    assert all(one["came"] for one in found["rules"])
    assert not [stream for stream in server.streams.values() if not stream.deleted], "the suite deletes what it made"


async def test_the_short_form_has_the_rules_that_are_marked_and_are_declared() -> None:
    found = await checked(FakeTodoServer(), ["events", "applied"], short=True)
    assert found["held"], told(found)
    parts = {REQUIRED, "events", "applied"}
    assert [one["rule"] for one in found["rules"]] == [rule.name for rule in RULES if rule.short and rule.part in parts]


@pytest.mark.parametrize(("short", "most"), [(True, suite.EVENTS_SHORT), (False, suite.EVENTS)])
async def test_the_suite_writes_no_more_events_than_its_bounds_allow_for(short: bool, most: int) -> None:
    server = FakeTodoServer()
    found = await checked(server, short=short)
    assert found["held"], told(found)
    assert server.committed <= most
    assert server.projected == server.committed, "it ends when nothing is left to project"


@pytest.mark.parametrize("known", [True, False])
async def test_nobody_is_accused_of_the_artificial_cost_of_the_handler(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event takes longer than a wait and than patience; who is known to take so long is sound."""
    late_s = 0.15
    monkeypatch.setattr(options, "WAIT_MS", 20)
    monkeypatch.setattr(suite, "LONGEST_SHORT_S", 1.0 if known else 30.0)
    server = FakeTodoServer(projected_after_s=late_s)
    async with server:
        how: dict[str, Any] = {"short": True, "patience_s": late_s / 3, "latency_s": late_s if known else 0.0}
        found = await asyncio.to_thread(check, server.base_url, CAPABILITIES, **how)
    assert found["held"] is known, told(found)
    assert known or "wait-200" in names(found, "broken")


async def test_a_wait_begins_when_nothing_is_left_to_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the events of other rules; whoever waits after them is not made to wait for them, too."""
    monkeypatch.setattr(options, "TRIES", 1)
    server = FakeTodoServer(projected_after_s=0.05)
    left: list[int] = []

    @web.middleware
    async def before(request: web.Request, handler: Handler) -> web.StreamResponse:
        if "at_least_version" in request.query:
            left.append(server.committed - server.projected)
        return await handler(request)

    server.before.append(before)
    async with server:
        found = await asyncio.to_thread(check, server.base_url, CAPABILITIES, short=True)
    assert found["held"], told(found)
    assert left == [1], "its own write"


def test_every_rule_has_a_break() -> None:
    assert set(BREAKS) == {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", BREAKS)
async def test_a_broken_rule_is_found_and_named_alone(rule: str) -> None:
    found = await checked(broken(rule), patience_s=PATIENT_S if rule == "events-at-once" else PATIENCE_S)
    assert not found["held"]
    assert rule in names(found, "broken"), told(found)
    assert names(found, "broken") - {rule} <= BREAKS[rule].also, told(found)
    assert rule in found["why"]
    (one,) = [one for one in found["rules"] if one["rule"] == rule]
    assert one["sent"]
    assert one["came"]
    assert one["expected"]
    assert one["remedy"]


@pytest.mark.parametrize(
    "rule", ["page-order", "stats-event-count", "stats-backlog-0", "update-written", "events-order"]
)
async def test_the_short_form_finds_what_verdicts_rest_on(rule: str) -> None:
    found = await checked(broken(rule), short=True)
    assert names(found, "broken") == {rule}, told(found)


@pytest.mark.parametrize("short", [True, False])
async def test_an_acknowledgement_before_the_commit_is_found(short: bool) -> None:
    found = await checked(early(), short=short, patience_s=PATIENT_S)
    expected = {"stats-event-count", "events-at-once", "idempotency-create"}
    assert {"stats-event-count", "events-at-once"} <= names(found, "broken") <= expected, told(found)


async def test_an_event_that_is_never_projected_breaks_what_counts_it_and_no_other_count() -> None:
    async with FakeTodoServer() as server:
        server.blocked["todo-stuck"] = 1
        server.commit("todo-stuck", "never shown")
        found = await asyncio.to_thread(check, server.base_url, CAPABILITIES, patience_s=PATIENCE_S)
    assert names(found, "broken") == {"stats-backlog-0"}, told(found)
    assert names(found, "not checked") == {"stats-backlog-honest"}, told(found)


async def test_one_call_that_hangs_breaks_its_rule_and_no_other() -> None:
    server = FakeTodoServer()

    @web.middleware
    async def hanging(request: web.Request, handler: Handler) -> web.StreamResponse:
        if kind(request) == "drain":
            await asyncio.sleep(30)
        return await handler(request)

    server.before.append(hanging)
    found = await checked(server, timeout_s=1.0)
    assert names(found, "broken", "not checked") == {"drain-202"}, told(found)
    assert "no answer within 1 s" in told(found)


async def test_what_works_without_being_declared_is_a_hint_and_no_failure() -> None:
    found = await checked(FakeTodoServer(), ["events"])
    assert found["held"]
    assert {hint.split()[0] for hint in found["hints"]} == set(CAPABILITIES) - {"events"}
    assert not [one for one in found["rules"] if one["counts"] and one["part"] not in (REQUIRED, "events")]


async def test_what_is_declared_and_does_not_work_fails() -> None:
    found = await checked(broken("wait-504"), ["wait"])
    assert not found["held"]
    assert "wait" not in found["offered"]
    found = await checked(broken("wait-504"), [])
    assert found["held"], told(found)
    assert "wait works and is not declared" not in found["hints"]


async def test_where_nobody_declares_what_is_offered_is_found_out() -> None:
    found = await checked(broken("if-match-409"), None)
    assert found["held"], told(found)
    assert found["capabilities"] is None
    assert found["offered"] == [part for part in CAPABILITIES if part != "if-match"]
    short = await checked(broken("events-order"), None, short=True)
    assert short["held"], told(short)
    assert "events" not in short["offered"]
    assert "applied" in short["offered"]
