"""Two runs with unlike surroundings are doubted, by the name of what differs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.compare.likeness import conditions, refuse
from bench.compare.loaded import load
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from metrics.records.record import write_json
from tests.unit.bench import bundles

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def changed(folder: Path, document: str, **more: Any) -> Path:
    loaded = load(folder)
    write_json(folder / f"{document}.json", {**getattr(loaded, document), **more})
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return bundles.write(tmp_path, "plain")


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({ENDPOINT: "http://127.0.0.1:4318"}, "tracing: off and on"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}, "tracing: off and on"),
        ({"LOG_LEVEL": "debug"}, "LOG_LEVEL: info and debug"),
        (
            {"INFLUX_URL": "http://127.0.0.1:1", "INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b"},
            "InfluxDB: none and told",
        ),
        (
            {"BASE_URL": "http://127.0.0.1:1", "DATABASE_URL": "postgresql://127.0.0.1/d"},
            "system: started for the run and at BASE_URL",
        ),
    ],
)
def test_a_setting_of_observation(variables: dict[str, str], told: str, plain: Path, tmp_path: Path) -> None:
    other = load(bundles.write(tmp_path, "other", variables=variables))
    with pytest.raises(
        SetupError, match=re.escape(f"plain and other differ in what stands around the system ({told})")
    ):
        refuse([[load(plain)], [other]], anyway=False)
    (doubt,) = refuse([[load(plain)], [other]], anyway=True)
    assert told in doubt


@pytest.mark.parametrize(
    ("document", "more", "told"),
    [
        ("machine", {"nice": 10}, "nice: 0 and 10"),
        ("postgres", {"source": "DATABASE_URL"}, "database: throw-away and of DATABASE_URL"),
        ("postgres", {"source": "the stack, postgres:18"}, "database: throw-away and the stack's"),
        ("postgres", {"tls": True}, "TLS to the database: off and on"),
    ],
)
def test_what_the_machine_or_the_server_is(
    document: str, more: dict[str, Any], told: str, plain: Path, tmp_path: Path
) -> None:
    other = changed(bundles.write(tmp_path, "other"), document, **more)
    with pytest.raises(SetupError, match=re.escape(told)):
        refuse([[load(plain)], [load(other)]], anyway=False)


def test_what_is_said_as_it_is_by_default_is_no_difference(plain: Path, tmp_path: Path) -> None:
    other = bundles.write(tmp_path, "other", variables={"LOG_LEVEL": "info"})
    assert refuse([[load(plain)], [load(changed(other, "machine", nice=0))]], anyway=False) == []


def test_changes_that_no_commit_has_and_variables_that_acted_are_conditions(plain: Path, tmp_path: Path) -> None:
    other = changed(bundles.write(tmp_path, "other"), "versions", dirty=True)
    other = changed(other, "postgres", environment={"PGSSLMODE": "require"})
    one, two = conditions(load(plain)), conditions(load(other))
    differing = {name for name in {*one, *two} if one.get(name) != two.get(name)}
    assert differing == {"revision", "PGSSLMODE of the environment"}


def test_no_header_of_an_exporter_is_told(tmp_path: Path) -> None:
    variables = {ENDPOINT: "http://me:pw@127.0.0.1:4318", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=hidden"}
    folder = bundles.write(tmp_path, "traced", variables=variables)
    said = (folder / "result.json").read_text()
    assert "hidden" not in said
    assert ":pw@" not in said
    assert "//***@127.0.0.1:4318" in said


def test_a_system_that_somebody_else_runs_is_not_said_to_be_traced() -> None:
    elsewhere = {"BASE_URL": "http://127.0.0.1:1", "DATABASE_URL": "postgresql://127.0.0.1/d", "VISIBILITY": "naive"}
    settings = Settings.from_env({**elsewhere, ENDPOINT: "http://127.0.0.1:4318", "LOG_LEVEL": "debug"})
    told = settings.without_observation().recorded()
    assert not {ENDPOINT, "LOG_LEVEL"} & set(told)
    assert told["VISIBILITY"] == "naive"
