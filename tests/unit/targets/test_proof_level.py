"""The level of a proof: our store where it can be read, else what is declared, else what is seen to be offered."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bench.platforms.platform import System
from bench.platforms.postgres.logins import Logins
from bench.preflight.settings import Settings
from bench.trial.proof import level_of, tells_applied
from settings.targets import reader
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


async def test_of_what_somebody_else_runs_the_best_that_it_offers_is_taken() -> None:
    settings: Any = SimpleNamespace(target=reader.elsewhere("theirs", proof="read-back"))
    async with FakeTodoServer() as server:
        server.preload(1)
        made = system(settings, server.base_url)
        assert await asyncio.to_thread(level_of, made) == "log"
    assert await asyncio.to_thread(level_of, system(settings, server.base_url)) == "read-back", "nobody is there"
