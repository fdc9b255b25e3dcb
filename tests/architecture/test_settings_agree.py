"""What services read, what .env.example shows and what compose.yaml passes on are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bench.preflight.settings import Settings as Bench
from migrations.roles.apply import VARIABLES
from services.api.settings import Settings as Api
from services.loadgen.settings import Settings as Loadgen
from services.projector.settings import Settings as Projector
from tests.architecture.containers import compose, example, references, services

URL = "postgresql://user:password@127.0.0.1:5432/tidemark"
FROM_ENV: dict[str, Callable[[Mapping[str, str]], Any]] = {
    "api": Api.from_env,
    "projector": Projector.from_env,
    "loadgen": Loadgen.from_env,
    "bench": Bench.from_env,
}
# What compose.yaml leaves to the image or to the service, and why.
LEFT_OUT = {
    # The projectors decide the mode, and /stats tells theirs; one address is told as several are.
    "api": {"SERIAL_PROJECTION", "DATABASE_URL"},
    # Unique by itself; the image knows where its check looks; told by the bench to the projectors that it starts.
    "projector": {"PROJECTOR_NAME", "HEALTH_FILE", "MOMENTS_FILE", "DATABASE_URL", "PROJECTOR_SHARDS"},
    # The image's own folder, where the volume is; what runs in the stack is our own system, and /stats tells its mode.
    "loadgen": {"RESULTS_DIR", "TARGET", "TARGET_CAPABILITIES", "SERIAL_PROJECTION"},
}
# All else comes from its master.
WORKER = {"LOADGEN_MASTER"}
# Told by `task up`, and by the bench to its load generator.
NOT_FOR_PEOPLE = {"REVISION", "SECOND_SHARD", "SCENARIO_TEXT", "TARGET_CAPABILITIES"}
# Another default in the stack, or by nature no example of a default.
OTHER_DEFAULTS = {
    "DATABASE_URL", "BASE_URL", "INFLUX_URL", "INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET", "API_PORT",
}  # fmt: skip


class Asked(Mapping[str, str]):
    """Variables that note which of them are asked for."""

    def __init__(self, **values: str) -> None:
        self.values_given = values
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self.values_given[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_given)

    def __len__(self) -> int:
        return len(self.values_given)


def names_read(service: str) -> set[str]:
    """The variables that a service's settings ask for, those behind others included."""
    needed = {"INFLUX_URL": "http://127.0.0.1:8086", "INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b"}
    if service == "bench":
        return bench_reads()
    asked = Asked(DATABASE_URL=URL, **needed)
    FROM_ENV[service](asked)
    return asked.names


def bench_reads() -> set[str]:
    """Bench copies its variables, so it is asked by giving each name a value that no setting can have."""
    read = set()
    for name in example():
        try:
            default = FROM_ENV["bench"]({"DATABASE_URL": URL})
            told = FROM_ENV["bench"]({"DATABASE_URL": URL, name: "\0"})
        except ValueError:
            read.add(name)
        else:
            if told != default:
                read.add(name)
    return read


def passed_on(service: str) -> dict[str, str | None]:
    """What compose.yaml gives a service, OpenTelemetry's variables left out."""
    environment = services()[service]["environment"]
    return {name: value for name, value in environment.items() if not name.startswith("OTEL_")}


def taken_from_outside() -> set[str]:
    """Every variable that compose.yaml takes from .env or the environment."""
    unvalued = {
        name for service in services().values() for name, value in service["environment"].items() if value is None
    }
    return unvalued | {name for name, _ in references(compose())}


@pytest.mark.parametrize("service", ["api", "projector", "loadgen"])
def test_compose_passes_on_what_the_service_reads(service: str) -> None:
    assert set(passed_on(service)) == names_read(service) - LEFT_OUT[service]


def test_a_worker_is_told_its_master_alone() -> None:
    assert set(passed_on("loadgen-worker")) == WORKER


def test_the_migrations_are_told_the_databases_alone() -> None:
    assert set(passed_on("migrate")) == {"DATABASE_URLS"}


def test_the_roles_are_made_by_the_owner_with_the_passwords_of_all() -> None:
    assert set(passed_on("roles")) == {"DATABASE_URLS", *VARIABLES.values()}


def test_the_example_shows_what_compose_takes() -> None:
    assert taken_from_outside() - NOT_FOR_PEOPLE <= set(example())


@pytest.mark.parametrize("service", ["api", "projector", "loadgen", "bench"])
def test_the_example_shows_what_is_read(service: str) -> None:
    assert names_read(service) - NOT_FOR_PEOPLE <= set(example())


def test_everything_in_the_example_is_used() -> None:
    used = taken_from_outside().union(WORKER, *(names_read(service) for service in FROM_ENV))
    assert set(example()) == used - NOT_FOR_PEOPLE


@pytest.mark.parametrize("service", ["api", "loadgen"])
def test_the_example_shows_the_defaults(service: str) -> None:
    shown = {name: value for name, value in example().items() if name not in OTHER_DEFAULTS}
    assert FROM_ENV[service]({**shown, "DATABASE_URL": URL}) == FROM_ENV[service]({"DATABASE_URL": URL})


def test_the_example_shows_the_benchs_defaults() -> None:
    shown = {name: value for name, value in example().items() if name not in OTHER_DEFAULTS}
    settings = Bench.from_env({**shown, "DATABASE_URL": URL})
    # These are the services' own defaults, written down in a result only where they were given.
    assert replace(settings, others={}) == Bench.from_env({"DATABASE_URL": URL})


def test_the_example_shows_the_projectors_defaults() -> None:
    shown = {name: value for name, value in example().items() if name not in OTHER_DEFAULTS}
    named = {"DATABASE_URL": URL, "PROJECTOR_NAME": "one"}
    assert Projector.from_env({**shown, **named}) == Projector.from_env(named)


def test_the_example_shows_the_defaults_of_compose() -> None:
    defaults = {name: rest.removeprefix(":-") for name, rest in references(compose()) if rest.startswith(":-")}
    shown = example()
    assert {name: shown[name] for name in defaults if name in shown} == {
        name: value for name, value in defaults.items() if name in shown
    }
