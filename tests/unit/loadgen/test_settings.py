"""The load generator's settings: defaults, every variable, and each refusal by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from services.loadgen.settings import Settings
from settings import SettingError
from settings.scenarios import reader


def test_without_variables_the_defaults_of_the_contract_hold() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.users, settings.duration_s, settings.write_ratio, settings.think_time_ms) == (
        100,
        30.0,
        0.5,
        100.0,
    )


def test_every_variable_is_read() -> None:
    settings = Settings.from_env(
        {
            "BASE_URL": "http://127.0.0.1:1234/",
            "SCENARIO": "reads",
            "VUS": "7",
            "DURATION": "1500ms",
            "WRITE_RATIO": "0.8",
            "THINK_TIME_MS": "0",
            "CONVERGENCE_MAX": "2m",
            "SILENCE_MAX": "9s",
            "WARMUP": "0",
            "SEED": "9",
            "RATE": "250",
            "RESULTS_DIR": "somewhere",
            "HOLD": "7s",
        }
    )
    expected = Settings(
        "http://127.0.0.1:1234", reader.load("reads"), 7, 1.5, 0.8, 0.0, 120.0, 9.0, 0.0, 9, 250.0, Path("somewhere")
    )
    assert settings == replace(expected, hold_s=7.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BASE_URL", "127.0.0.1:8000"),
        ("BASE_URL", "ftp://127.0.0.1"),
        ("BASE_URL", "http://127.0.0.1:99999"),
        ("BASE_URL", "http://127.0.0.1/api?x=1"),
        ("SCENARIO", "chaos"),
        ("VUS", "-1"),
        ("VUS", "0"),
        ("VUS", "many"),
        ("DURATION", "abc"),
        ("DURATION", "0s"),
        ("WRITE_RATIO", "2"),
        ("WRITE_RATIO", "nan"),
        ("THINK_TIME_MS", "-5"),
        ("CONVERGENCE_MAX", "0"),
        ("WARMUP", "-1s"),
        ("SEED", "x"),
        ("RATE", "0"),
        ("SKEW", "1.1"),
    ],
)
def test_a_bad_value_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=rf"^{name}="):
        Settings.from_env({name: value})


@pytest.mark.parametrize("scenario", ["actions", "scaling", "combined"])
def test_the_open_loop_is_refused_where_it_has_no_meaning(scenario: str) -> None:
    with pytest.raises(SettingError, match=r"^RATE="):
        Settings.from_env({"SCENARIO": scenario, "RATE": "10"})


@pytest.mark.parametrize("scenario", ["actions", "reads"])
def test_skew_is_refused_where_no_writer_draws_updates(scenario: str) -> None:
    with pytest.raises(
        SettingError, match=rf"^SKEW='0.9' is not usable: expected 0 or no value with scenario {scenario}"
    ):
        Settings.from_env({"SCENARIO": scenario, "SKEW": "0.9"})
    assert Settings.from_env({"SCENARIO": scenario, "SKEW": "0"}).skew == 0
    assert Settings.from_env({"SKEW": "0.9"}).skew == 0.9


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_env({"BASE_URL": "ftp://me:hunter2@127.0.0.1"})
    assert "hunter2" not in str(refused.value)


def test_the_settings_as_used_can_be_given_again() -> None:
    settings = Settings.from_env({"VUS": "3", "DURATION": "2m", "RATE": "12.5", "SEED": "4"})
    again = {name: "" if value is None else str(value) for name, value in settings.as_used().items()}
    assert Settings.from_env(again) == settings
