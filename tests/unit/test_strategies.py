"""STRATEGY: what it is where nobody says it, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.faults import kill_projector, zombie_projector
from bench.preflight.settings import Settings as BenchSettings
from bench.trial.takeovers import by_leases
from services.projector.settings import Settings
from settings import Environment, SettingError, strategies

URL = {"DATABASE_URL": "postgresql://nobody@127.0.0.1/none"}
TELLING = {"observedAt": "2026-01-01T00:00:00+00:00", "projectors": [{"lastTakeoverAt": None}]}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "stream-leases"),
        ({"SERIAL_PROJECTION": "false"}, "stream-leases"),
        ({"SERIAL_PROJECTION": "true"}, "global-order"),
        ({"STRATEGY": "global-order"}, "global-order"),
        ({"STRATEGY": "stream-locks"}, "stream-locks"),
        ({"STRATEGY": "stream-locks", "SERIAL_PROJECTION": "false"}, "stream-locks"),
        ({"STRATEGY": " ", "SERIAL_PROJECTION": "true"}, "global-order"),
        ({"HANDLER_LATENCY_MS": "5"}, "stream-leases"),
    ],
)
def test_the_strategy(variables: dict[str, str], expected: str) -> None:
    assert strategies.read(Environment(variables)) == expected
    assert Settings.from_env({**URL, **variables}).strategy == expected
    run = BenchSettings.from_env(variables)
    assert run.strategy == expected
    assert Settings.from_env({**URL, **run.environment()}).strategy == expected
    assert run.recorded()["STRATEGY"] == expected


@pytest.mark.parametrize(
    "variables",
    [
        {"STRATEGY": "stream_locks"},
        {"STRATEGY": "parallel"},
        {"STRATEGY": "global-order", "SERIAL_PROJECTION": "false"},
        {"STRATEGY": "stream-leases", "SERIAL_PROJECTION": "true"},
        {"STRATEGY": "stream-locks", "HANDLER_LATENCY_MS": "5"},
    ],
)
def test_what_contradicts_itself_is_refused_by_name(variables: dict[str, str]) -> None:
    for read in (lambda: Settings.from_env({**URL, **variables}), lambda: BenchSettings.from_env(variables)):
        with pytest.raises(SettingError, match=r"^STRATEGY="):
            read()


def test_the_mode_of_a_command_wins_and_refuses_a_strategy_of_the_other() -> None:
    assert BenchSettings.from_env({"SERIAL_PROJECTION": "false"}, mode="serial").strategy == "global-order"
    assert BenchSettings.from_env({"STRATEGY": "stream-locks"}, mode="parallel").strategy == "stream-locks"
    with pytest.raises(SettingError, match=r"^STRATEGY=.* expected global-order in serial mode"):
        BenchSettings.from_env({"STRATEGY": "stream-locks"}, mode="serial")
    with pytest.raises(SettingError, match=r"^STRATEGY=.* expected stream-leases or stream-locks in parallel mode"):
        BenchSettings.from_env({"STRATEGY": "global-order"}, mode="parallel")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "stream-locks"),
        ({"STRATEGY": "stream-leases"}, "stream-leases"),
        ({"SERIAL_PROJECTION": "true"}, "global-order"),
        ({"HANDLER_LATENCY_MS": "5"}, "stream-leases"),
    ],
)
def test_a_job_works_by_locks_where_nothing_else_is_said(variables: dict[str, str], expected: str) -> None:
    assert Settings.from_env({**URL, **variables}, job=True).strategy == expected


@pytest.mark.parametrize(
    ("strategy", "leases"), [("stream-leases", True), ("stream-locks", False), ("global-order", True)]
)
def test_each_says_whether_it_holds_leases(strategy: str, leases: bool) -> None:
    assert strategies.holds_leases(strategy) == leases


@pytest.mark.parametrize(("leases", "projectors"), [(True, "2"), (False, "1")])
def test_a_drill_asks_a_strategy_of_ones_own_whether_it_holds_leases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leases: bool, projectors: str
) -> None:
    name = f"own_with_leases_{leases}".lower()
    (tmp_path / name).mkdir()
    (tmp_path / name / "strategy.py").write_text(f"SERIAL = False\nCOSTLY_HANDLER = False\nLEASES = {leases}\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = f"{name}.strategy"
    looked_for: list[bool] = []
    system: Any = SimpleNamespace(
        settings=SimpleNamespace(strategy=own, projectors=2),
        require=lambda *_: None,
        parts=lambda _: ["one", "another"],
    )
    monkeypatch.setattr(by_leases, "freeze_at_work", lambda _, *, leases: looked_for.append(leases))
    for fault in (kill_projector, zombie_projector):
        drilled = fault.Fault()
        drilled.set_up(system)
        assert not drilled.invoke(TELLING)
    assert looked_for == [leases, leases]
    assert kill_projector.Fault().defaults(own) == {"PROJECTORS": projectors}
