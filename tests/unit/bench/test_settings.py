"""The settings of a run: defaults, scenarios, and refusals that name their variable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bench.platforms.compose.up import told
from bench.preflight.settings import Settings
from services.api import settings as api
from services.loadgen import settings as loadgen
from services.projector import settings as projector
from settings import SettingError, catalogue
from settings.scenarios import reader


def test_without_variables_a_run_is_the_main_job() -> None:
    settings = Settings.from_env({})
    assert (settings.scenario.name, settings.mode, settings.projectors, settings.api_processes) == (
        "throughput",
        "parallel",
        1,
        1,
    )
    assert (settings.users, settings.duration_s, settings.write_ratio, settings.think_time_ms) == (100, 30, 0.5, 100)
    assert (settings.convergence_max_s, settings.handler_latency_ms, settings.rate) == (60, 0, None)
    assert (settings.database_url, settings.base_url) == (None, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VUS", "-1"),
        ("VUS", "0"),
        ("VUS", "ten"),
        ("DURATION", "abc"),
        ("DURATION", "0s"),
        ("WARMUP", "-1s"),
        ("WRITE_RATIO", "2"),
        ("WRITE_RATIO", "nan"),
        ("THINK_TIME_MS", "-5"),
        ("CONVERGENCE_MAX", "soon"),
        ("PROJECTORS", "0"),
        ("API_PROCESSES", "1.5"),
        ("API_PORT", "70000"),
        ("SEED", "x"),
        ("RATE", "-3"),
        ("SKEW", "-0.1"),
        ("HANDLER_LATENCY_MS", "-1"),
        ("STREAMS_IN_FLIGHT", "0"),
        ("SERIAL_PROJECTION", "perhaps"),
        ("DATABASE_URL", "mysql://me:secret@db/x"),
        ("DATABASE_URL", "postgresql://me:secret@db"),
        ("DATABASE_URL", "postgresql://me:secret@db:port/x"),
        ("BASE_URL", "127.0.0.1:8000"),
        ("BASE_URL", "http://"),
    ],
)
def test_a_bad_value_names_its_variable_in_one_line_without_secrets(name: str, value: str) -> None:
    with pytest.raises(SettingError) as refusal:
        Settings.from_env({name: value})
    said = str(refusal.value)
    assert said.startswith(f"{name}=")
    assert "\n" not in said
    assert "expected" in said
    assert "secret" not in said


def test_a_rate_needs_an_open_loop() -> None:
    with pytest.raises(
        SettingError, match=re.escape("RATE='5' is not usable: expected no value with scenario actions")
    ):
        Settings.from_env({"RATE": "5"}, scenario="actions")


def test_skew_needs_writers_that_draw_updates_and_reaches_the_load_generator() -> None:
    with pytest.raises(SettingError, match=r"^SKEW='0.5' is not usable: expected 0 or no value with scenario actions"):
        Settings.from_env({"SKEW": "0.5"}, scenario="actions")
    settings = Settings.from_env({"SKEW": "0.5"})
    assert loadgen.Settings.from_env(settings.environment()).skew == 0.5
    assert (settings.recorded()["SKEW"], Settings.from_env({}).recorded()["SKEW"]) == (0.5, 0)


def test_a_stack_of_somebody_else_is_proven_by_its_store_only_with_its_database() -> None:
    where = {"BASE_URL": "http://127.0.0.1:8000"}
    alone = Settings.from_env(where)
    assert (alone.base_url, alone.target.name, alone.target.proof) == (where["BASE_URL"], "tidemark", "read-back")
    assert Settings.from_env({**where, "TARGET": "mine"}).target.name == "mine"
    assert Settings.from_env({**where, "DATABASE_URL": "postgresql://me@127.0.0.1/db"}).target.proof == "store"


@pytest.mark.parametrize("scenario", reader.names())
def test_a_scenario_sets_defaults_and_a_variable_wins(scenario: str) -> None:
    defaults = reader.load(scenario).settings
    assert str(Settings.from_env({}, scenario=scenario).users) == defaults["VUS"]
    assert Settings.from_env({"VUS": "7"}, scenario=scenario).users == 7


def test_a_scenario_of_ones_own_is_handed_on_as_text_and_recorded_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((reader.FOLDER / "reads.toml").read_text() + "\n# and more\n")
    settings = Settings.from_env({"SCENARIO": "ignored"}, scenario=str(path))
    assert (settings.scenario.name, settings.users) == ("mine", 100)
    assert loadgen.Settings.from_env(settings.environment()).scenario == settings.scenario
    assert told(settings)["SCENARIO_TEXT"] == path.read_text(), "what the stack's load generator is given"
    assert settings.recorded()["SCENARIO_TEXT"] == settings.scenario.digest
    assert "SCENARIO_TEXT" not in Settings.from_env({}, scenario="reads").recorded()


def test_a_scenario_that_can_not_be_used_is_refused_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('description = "x"\n[settings]\nVU = 1\n')
    with pytest.raises(SettingError, match=rf"^{tmp_path}/mine\.toml: .*required field `phases`; correct the file"):
        Settings.from_env({}, scenario=str(tmp_path / "mine.toml"))
    with pytest.raises(SettingError, match=r"^SCENARIO='mine' is not usable: expected one of throughput, "):
        Settings.from_env({}, scenario="mine")


def test_the_settings_of_a_scenario_reach_the_services(tmp_path: Path) -> None:
    text = (reader.FOLDER / "reads.toml").read_text().replace("VUS = 100", "VUS = 100\nLEASE_SECONDS = 2.5")
    (tmp_path / "mine.toml").write_text(text)
    assert Settings.from_env({}, scenario=str(tmp_path / "mine.toml")).environment()["LEASE_SECONDS"] == "2.5"


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"VUS": " ", "RATE": "", "DATABASE_URL": ""}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("variables", "mode", "expected"),
    [
        ({}, None, "parallel"),
        ({"SERIAL_PROJECTION": "true"}, None, "serial"),
        ({"SERIAL_PROJECTION": "true"}, "parallel", "parallel"),
        ({"SERIAL_PROJECTION": "false"}, "serial", "serial"),
    ],
)
def test_the_mode_given_wins(variables: dict[str, str], mode: str | None, expected: str) -> None:
    assert Settings.from_env(variables, mode=mode).mode == expected  # type: ignore[arg-type]


def test_what_the_services_are_given_comes_back_the_same() -> None:
    variables = {"VUS": "3", "RATE": "12.5", "HANDLER_LATENCY_MS": "5", "DURATION": "1500ms", "VISIBILITY": "naive"}
    settings = Settings.from_env(variables, mode="serial")
    assert Settings.from_env(settings.environment()) == settings


def test_a_result_carries_the_settings_without_secrets() -> None:
    variables = {
        "DATABASE_URL": "postgresql://me:secret@db:5432/x",
        "INFLUX_URL": "http://influx:8086",
        "INFLUX_TOKEN": "secret",
        "INFLUX_ORG": "tidemark",
        "INFLUX_BUCKET": "bench",
        "HANDLER_LATENCY_MS": "2.5",
    }
    recorded = Settings.from_env(variables).recorded()
    assert "secret" not in str(recorded)
    assert recorded["DATABASE_URL"] == "postgresql://***@db:5432/x"
    assert recorded["INFLUX_TOKEN"] == "***"
    assert (recorded["HANDLER_LATENCY_MS"], recorded["SERIAL_PROJECTION"], recorded["RATE"]) == (2.5, False, None)
    assert Settings.from_env({}).recorded()["DATABASE_URL"] == "embedded"


def test_a_result_carries_how_the_projectors_and_the_load_generator_worked() -> None:
    assert Settings.from_env({}).recorded()["STREAMS_IN_FLIGHT"] == projector.Settings("").streams_in_flight
    assert Settings.from_env({"STREAMS_IN_FLIGHT": "7"}).recorded()["STREAMS_IN_FLIGHT"] == 7
    assert Settings.from_env({"LOADGEN_WORKERS": "2"}).recorded()["LOADGEN_WORKERS"] == 2


HANDED_ON = [setting.name for setting in catalogue.every() if setting.passes_the_bench]


@pytest.mark.parametrize("name", HANDED_ON)
@pytest.mark.parametrize(
    "value", ["", "0", "-1", "0.4", "0.5", "1", "2.5", "64", "65", "100", "101", "1000", "1001", "3600", "3601"]
)
def test_what_is_passed_on_is_refused_exactly_where_a_service_refuses_it(name: str, value: str) -> None:
    variables = {"DATABASE_URL": "postgresql://me:pw@db/x", name: value}
    readers = (projector.Settings.from_env, api.Settings.from_env, loadgen.Settings.from_env)
    assert refused(Settings.from_env, variables) == any(refused(reader, variables) for reader in readers)


@pytest.mark.parametrize(
    "influx", [{}, {"INFLUX_URL": "http://127.0.0.1:8086"}, {"INFLUX_URL": "nowhere"}, {"INFLUX_TOKEN": "secret"}]
)
def test_influx_is_refused_exactly_where_the_load_generator_refuses_it(influx: dict[str, str]) -> None:
    complete = {"INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b", **influx}
    for variables in (influx, complete):
        assert refused(Settings.from_env, variables) == refused(loadgen.Settings.from_env, variables)


def refused(read: Callable[[Mapping[str, str]], object], variables: Mapping[str, str]) -> bool:
    try:
        read(variables)
    except SettingError:
        return True
    return False
