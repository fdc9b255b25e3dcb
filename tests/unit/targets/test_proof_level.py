"""The level of a proof: our store where it can be read, else what is declared, else what is seen to be offered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from bench.bundle.folder import Bundle
from bench.ends import signals
from bench.oracle.conformance.check import check
from bench.platforms.platform import System
from bench.platforms.postgres.logins import Logins
from bench.platforms.targets.offered import offered
from bench.preflight.settings import Settings
from bench.trial import contract
from bench.trial.contract import require_contract
from bench.trial.proof import level_of, tells_applied
from bench.trial.result import description_of
from tests.fakes.todo_server import FakeTodoServer
from tests.unit.targets.manifests import SOUND, written


def system(settings: Any, base_url: str = "", logins: Logins | None = None, *, has_store: bool = False) -> System:
    anything: Any = None
    return System(anything, settings, base_url, logins, None, None, anything, None, has_store)


def test_ours_is_proven_by_its_store(tmp_path: Any) -> None:
    logins = Logins.given("postgresql://me@127.0.0.1/x")
    assert level_of(system(Settings.from_env({}), logins=logins, has_store=True)) == "store"
    # A server alone is no store of ours.
    mine = Settings.from_env({"TARGET": str(written(tmp_path))})
    assert level_of(system(mine, logins=logins)) == "log"


@pytest.mark.parametrize(("change", "level", "applied"), [("", "log", True), ("read-back", "read-back", False)])
def test_a_target_is_proven_by_what_it_declares(tmp_path: Any, change: str, level: str, applied: bool) -> None:
    text = SOUND.replace('proof = "log"', 'proof = "read-back"').replace('"events", "applied"', "") if change else SOUND
    made = system(Settings.from_env({"TARGET": str(written(tmp_path, text))}))
    assert (level_of(made), tells_applied(made)) == (level, applied)


async def found(server: FakeTodoServer, tmp_path: Path) -> tuple[System, list[str]]:
    """What the check of the contract makes of a system elsewhere that is attached to."""
    with signals.caught():
        return await _found(server, tmp_path)


async def _found(server: FakeTodoServer, tmp_path: Path) -> tuple[System, list[str]]:
    async with server:
        settings = Settings.from_env({"BASE_URL": server.base_url, "TARGET": "theirs"})
        seen = settings.target.offering(await asyncio.to_thread(offered, server.base_url))
        made = system(replace(settings, target=seen), server.base_url)
        nothing: Any = SimpleNamespace(check=lambda: None, step=lambda _: None)
        made = replace(made, processes=nothing)
        bundle = Bundle.create(tmp_path, "throughput", "parallel")
        return await asyncio.to_thread(require_contract, made, bundle, nothing)


async def test_of_what_somebody_else_runs_the_best_that_it_offers_is_taken(tmp_path: Path) -> None:
    """Also of an empty one, whose rows told nothing when it was attached to."""
    made, warnings = await found(FakeTodoServer(), tmp_path)
    assert (level_of(made), tells_applied(made), warnings) == ("log", True, [])
    assert made.settings.target.offers("drain")
    made, warnings = await found(FakeTodoServer(bare=True), tmp_path)
    assert (level_of(made), tells_applied(made), warnings) == ("read-back", False, [])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake projects within milliseconds."""
    monkeypatch.setattr(contract, "check", partial(check, patience_s=0.25))


OTHERS: Any = {
    "a list of something else": {"events": [{"kind": "click"}], "total": 1},
    "no log at all": ["click"],
    "empty, and for ever": {"events": [], "next": None},
}


@pytest.mark.parametrize("shape", OTHERS)
async def test_a_service_with_other_events_is_proven_by_its_reads(shape: str, tmp_path: Path) -> None:
    @web.middleware
    async def before(request: web.Request, handler: Any) -> Any:
        return web.json_response(OTHERS[shape]) if request.path == "/events" else await handler(request)

    made, warnings = await found(FakeTodoServer(before=[before]), tmp_path)
    assert (level_of(made), tells_applied(made)) == ("read-back", True)
    assert bool(warnings) is (shape == "empty, and for ever"), "only what looked like the log is warned of"
    assert all("events is there and not as the contract says" in one for one in warnings)


async def test_a_503_does_not_lower_the_proof(tmp_path: Path) -> None:
    asked: list[str] = []

    @web.middleware
    async def before(request: web.Request, handler: Any) -> Any:
        asked.append(request.path)
        return web.Response(status=503) if asked.count("/events") == 1 else await handler(request)

    made, warnings = await found(FakeTodoServer(before=[before]), tmp_path)
    assert (level_of(made), warnings) == ("log", [])


def test_durability_is_called_checked_where_the_bench_can_look(tmp_path: Path) -> None:
    mine = Settings.from_env({"TARGET": str(written(tmp_path))})
    assert not contract.looked_at(system(mine))
    assert contract.looked_at(system(mine, logins=Logins.given("postgresql://me@127.0.0.1/x")))
    told = description_of(mine.target, durable_checked=False)
    assert (told["durable_checked"], told["durable"]) == (False, mine.target.durable)
