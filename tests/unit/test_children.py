"""What a child process is given of the environment, kind by kind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import pytest

from settings import SettingError, children, tracing
from settings.children import Child

KINDS: Final = {name: kind for name, kind in vars(children).items() if isinstance(kind, Child)}
FOREIGN: Final = {
    **dict.fromkeys(children.PROXIES, "http://127.0.0.1:9"),
    **dict.fromkeys(children.LIBPQ, "other"),
    **{"PGSERVICE": "other", "PGOPTIONS": "-c x=y", "PGAPPNAME": "other", "PGDATA": "/", "PGTZ": "Mars"},
    **{"LOCUST_RUN_TIME": "2s", "LOCUST_TAGS": "smoke", "LOCUST_MODE_MASTER": "true", "LOCUST_HOST": "http://a"},
    **{"GIT_DIR": "/", "GIT_WORK_TREE": "/", "GIT_INDEX_FILE": "/", "GIT_CONFIG_COUNT": "0", "GIT_SSH": "x"},
    **{"PYTHONPATH": "/", "PYTHONOPTIMIZE": "2", "PYTHONSTARTUP": "/", "PYTHONDEVMODE": "1", "PYTHONHASHSEED": "1"},
    **{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SERVICE_NAME": "a", "MALLOC_ARENA_MAX": "1"},
    **{"LD_PRELOAD": "", "UV_PYTHON": "9", "VIRTUAL_ENV": "/", "LITESTAR_DEBUG": "1", "UVICORN_PORT": "1"},
    **{"WEB_CONCURRENCY": "9", "GRANIAN_PORT": "1", "SQLALCHEMY_WARN_20": "1", "INFLUXDB_V2_URL": "http://a"},
    **{"PROMETHEUS_MULTIPROC_DIR": "/", "TZ": "Asia/Tokyo", "LANG": "tr_TR", "LC_ALL": "xx_YY", "LC_NUMERIC": "de_DE"},
    **{"VUS": "1", "SERIAL_PROJECTION": "true", "HEALTH_FILE": "/", "NODE_OPTIONS": "-r x", "GEVENT_RESOLVER": "x"},
}
NEEDED: Final = {"PATH": "/bin", "TMPDIR": "/scratch", "LD_LIBRARY_PATH": "/lib"}
OF_THE_USER: Final = {name: set(children.PROXIES) for name in ("INSTALLER", "KUBECTL")}


def names(kind: Child, told: Mapping[str, str] | None = None) -> set[str]:
    return set(kind.environment(told, ambient={**FOREIGN, **NEEDED, "HOME": "/home/me"}))


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_gets_what_it_needs_and_nothing_foreign(name: str) -> None:
    found = names(KINDS[name])
    assert set(NEEDED) <= found
    assert found & set(FOREIGN) - set(KINDS[name].fixed) == OF_THE_USER.get(name, set())


@pytest.mark.parametrize("name", ["PROGRAM", "PYTHON", "LOCUST", "POSTGRES", "GIT"])
def test_what_is_measured_has_nobodys_home(name: str) -> None:
    assert KINDS[name].environment(ambient={"HOME": "/home/me"})["HOME"] == children.NOWHERE


def test_docker_is_told_which_engine_and_which_project() -> None:
    ambient = {"DOCKER_HOST": "tcp://a", "COMPOSE_FILE": "b", "HOME": "/home/me", "COMPOSER": "no"}
    assert children.DOCKER.environment(ambient=ambient) == {name: ambient[name] for name in list(ambient)[:3]}


def test_what_is_told_stands_above_what_passes_and_that_above_what_is_fixed() -> None:
    kind = Child(("A", "B", "C"), {"A": "fixed", "B": "fixed", "D": "fixed"})
    assert kind.environment({"A": "told"}, ambient={"A": "passed", "B": "passed", "E": "no"}) == {
        "A": "told",
        "B": "passed",
        "D": "fixed",
    }


def test_the_client_of_a_given_database_gets_the_users_own_way_to_it() -> None:
    given = children.PYTHON.also(*children.GIVEN_DATABASE)
    found = given.environment(ambient={**FOREIGN, "HOME": "/home/me"})
    assert found["HOME"] == "/home/me"
    assert {name for name in found if name.startswith("PG")} == set(children.LIBPQ)
    # They act on no session and on no other client.
    assert not {"PGOPTIONS", "PGAPPNAME"} & set(found)


def test_python_itself_starts_as_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    code = "import json, os, sys; print(json.dumps([sys.flags.optimize, sys.flags.dev_mode, sorted(os.environ)]))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=children.PYTHON.environment(), capture_output=True, text=True, check=True
    )
    optimize, dev_mode, seen = json.loads(done.stdout)
    assert (optimize, dev_mode) == (0, False)
    # Python sets the last one itself where no locale is.
    assert set(seen) <= {*children.START, *children.TLS, "HOME", "PYTHONUNBUFFERED", "LC_CTYPE"}
    assert done.stderr == ""


OTEL: Final = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_SAMPLER": "always_on"}


@pytest.mark.parametrize(
    ("variables", "passed"),
    [
        ({**OTEL, "PATH": "/bin"}, set(OTEL)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"}),
        ({**OTEL, "OTEL_SDK_DISABLED": "true"}, set()),
        ({**OTEL, "OTEL_TRACES_EXPORTER": "none"}, set()),
        ({**OTEL, "OTEL_EXPORTER_OTLP_ENDPOINT": " "}, set()),
        ({"OTEL_SERVICE_NAME": "mine", "OTEL_TRACES_SAMPLER": "always_on"}, set()),
    ],
)
def test_tracing_is_passed_on_where_it_is_asked_for(variables: dict[str, str], passed: set[str]) -> None:
    assert set(tracing.variables_of(variables)) == passed


def test_tracing_that_can_not_be_had_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"^OTEL_EXPORTER_OTLP_PROTOCOL='grpc' is not usable"):
        tracing.variables_of({**OTEL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
