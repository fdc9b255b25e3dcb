"""What may be asked of a target: its modes, its projectors, and settings that act; all else is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.compare.arms.variables import naming_targets
from bench.platforms.compose.place import place
from bench.preflight.settings import Settings
from settings import SettingError
from settings.strategies import NOT_TOLD
from tests.unit.targets.manifests import SOUND, written


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A target with two projectors at most, in parallel mode alone."""
    return str(written(tmp_path))


def test_ours_is_measured_unless_something_else_is_named() -> None:
    settings = Settings.from_env({})
    assert (settings.target.name, settings.recorded()["TARGET"]) == ("tidemark", "tidemark")


def test_another_is_as_its_manifest_says(mine: str) -> None:
    settings = Settings.from_env({"TARGET": mine})
    assert (settings.target.name, settings.mode, settings.projectors) == ("mine", "parallel", 1)
    assert (settings.strategy, settings.handler) == (NOT_TOLD, NOT_TOLD)
    recorded = settings.recorded()
    assert recorded["TARGET"] == "mine"
    assert not {"STRATEGY", "HANDLER", "READ_MODELS", "STREAMS_IN_FLIGHT", "API_PROCESSES"} & set(recorded)


def test_its_processes_are_handed_no_setting_of_ours_and_the_load_generator_its_own(mine: str) -> None:
    settings = Settings.from_env({"TARGET": mine, "LEASE_SECONDS": "9", "SILENCE_MAX": "9s"})
    assert settings.environment()["SILENCE_MAX"] == "9s"
    assert "LEASE_SECONDS" not in settings.environment()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PROJECTORS": "3"}, "PROJECTORS='3' is not usable: expected 2 at most with TARGET=mine: by its manifest"),
        ({"SERIAL_PROJECTION": "true"}, "a target that has serial mode: this one runs in parallel mode alone"),
        ({"STRATEGY": "stream-locks"}, "STRATEGY='stream-locks' is not usable: expected no value with TARGET=mine"),
        ({"HANDLER": "each"}, "HANDLER='each' is not usable: expected no value with TARGET=mine"),
        ({"API_PROCESSES": "2"}, "API_PROCESSES='2' is not usable: expected no value with TARGET=mine"),
        ({"HANDLER_LATENCY_MS": "5"}, "HANDLER_LATENCY_MS='5' is not usable: expected 0 or no value with TARGET=mine"),
        ({"DATABASE_URL": "postgresql://me:hidden@db:5432/x"}, "expected no value with TARGET=mine"),
    ],
)
def test_what_it_does_not_have_is_refused_by_name(mine: str, variables: dict[str, str], said: str) -> None:
    with pytest.raises(SettingError, match=re.escape(said)) as refusal:
        Settings.from_env({"TARGET": mine, **variables})
    assert "hidden" not in str(refusal.value)


def test_a_mode_that_it_does_not_have_is_refused_as_an_argument_too(mine: str) -> None:
    assert Settings.from_env({"TARGET": mine}, mode="parallel").mode == "parallel"
    with pytest.raises(SettingError, match="a target that has serial mode"):
        Settings.from_env({"TARGET": mine}, mode="serial")


def test_a_default_of_a_command_is_lowered_with_a_word_and_one_that_is_asked_for_refused(tmp_path: Path) -> None:
    one = str(written(tmp_path, SOUND.replace("most = 2", "most = 1")))
    settings = Settings.from_env({"TARGET": one}, defaults={"PROJECTORS": "2"})
    assert (settings.projectors, settings.notes) == (
        1,
        ("PROJECTORS is 1 and not 2: more are not for mine, by its manifest",),
    )
    with pytest.raises(SettingError, match="--projectors='2' is not usable: expected 1 at most"):
        settings.with_projectors(2, name="--projectors")


def test_one_without_a_projector_has_none(mine: str) -> None:
    settings = Settings.from_env({"TARGET": f"{mine}:inline"})
    assert (settings.projectors, settings.notes) == (0, ())
    with pytest.raises(SettingError, match="expected no value with TARGET=mine:inline: it has no projector process"):
        Settings.from_env({"TARGET": f"{mine}:inline", "PROJECTORS": "1"})


def test_a_handler_that_takes_an_artificial_cost_is_given_it(tmp_path: Path) -> None:
    costly = SOUND.replace('NUMBER = "{number}"', 'COST = "{handler_latency_ms}"')
    settings = Settings.from_env({"TARGET": str(written(tmp_path, costly)), "HANDLER_LATENCY_MS": "5"})
    assert settings.recorded()["HANDLER_LATENCY_MS"] == 5


def test_one_is_told_from_other_settings_by_its_name_and_ours_by_its_strategy(mine: str) -> None:
    assert Settings.from_env({"TARGET": mine}).ordering == "mine"
    assert Settings.from_env({"STRATEGY": "stream-locks"}).ordering == "stream-locks"


def test_a_target_is_no_affair_of_the_stack() -> None:
    assert place({"TARGET": "crud"}) == ({}, "embedded: target crud")
    assert naming_targets([["TARGET=crud"], []])
    assert not naming_targets([["VUS=3"], []])
    assert not naming_targets(None)
