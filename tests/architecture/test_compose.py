"""compose.yaml: what Docker would refuse, and what it would let pass but should not be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench import ROOT
from bench.platforms.compose.addresses import POOLED, SECOND, STORES
from bench.platforms.compose.compose import SECRETS, SHARDED
from bench.platforms.compose.diagnosis import PORTS
from services.api.serving.server import GRACE_S
from tests.architecture.containers import DOCKERFILES, compose, instructions, references, services

ONE_SHOT = {"migrate", "roles", "loadgen", "loadgen-worker"}
LONG_RUNNING = set(services()) - ONE_SHOT


def seconds(text: str) -> int:
    """Compose's `90s` or `1m` in seconds."""
    number, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60}[unit]


def dockerfile(service: dict[str, Any]) -> Path | None:
    """The Dockerfile that a service is built from, None where its image is another's."""
    return ROOT / service["build"]["dockerfile"] if "build" in service else None


@pytest.mark.parametrize(
    ("schema", "name"), [("vendor.compose-spec", "compose.yaml"), ("vendor.taskfile", "Taskfile.yml")]
)
def test_it_is_what_its_schema_says(schema: str, name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ROOT / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_compose_takes_it() -> None:
    """Docker's own word where it is there; the schema and the tests below hold everywhere."""
    if shutil.which("docker") is None or subprocess.run(["docker", "compose", "version"], check=False).returncode:
        return
    for second in ("", "yes"):
        environment = {**os.environ, **dict.fromkeys(SECRETS, "secret"), SECOND: second}
        command = ["docker", "compose", "-f", "compose.yaml", "--profile", "*", "config", "--format", "json"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        urls = json.loads(done.stdout)["services"]["api"]["environment"]["DATABASE_URLS"].split()
        assert [urlsplit(url).hostname for url in urls] == list(STORES[: 2 if second else 1])


def test_it_has_the_parts() -> None:
    assert {"postgres", "migrate", "api", "projector", "loadgen", "influxdb", "grafana"} <= set(services())
    built = {name: dockerfile(service) for name, service in services().items() if "build" in service}
    assert set(built.values()) == set(DOCKERFILES.values())
    assert all(path is not None and path.is_file() for path in built.values())


@pytest.mark.parametrize("name", services())
def test_a_service_has_no_power_that_it_does_not_need(name: str) -> None:
    service = services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    path = dockerfile(service)
    user = str(service.get("user") or (path and dict(instructions(path))["USER"]))
    assert re.fullmatch(r"\d+:\d+", user)
    assert user.split(":", maxsplit=1)[0] != "0"
    assert {"cap_add", "privileged", "network_mode", "pid", "devices"} & set(service) == set()


@pytest.mark.parametrize("name", services())
def test_a_service_has_limits(name: str) -> None:
    limits = services()[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}


@pytest.mark.parametrize("name", services())
def test_only_the_loopback_is_published(name: str) -> None:
    for port in services()[name].get("ports", []):
        variable = PORTS[name]
        assert re.fullmatch(rf"127\.0\.0\.1:\$\{{{variable}:-\d+\}}:\d+", port)


def test_ports_are_published_by_those_that_people_reach() -> None:
    assert {name for name, service in services().items() if "ports" in service} == set(PORTS)


@pytest.mark.parametrize("name", services())
def test_an_image_of_others_is_pinned(name: str) -> None:
    service = services()[name]
    if "build" not in service:
        assert re.search(r":v?\d", service["image"])


@pytest.mark.parametrize("name", services())
def test_secrets_come_from_outside(name: str) -> None:
    for variable, value in services()[name]["environment"].items():
        if re.search("PASSWORD|TOKEN|DATABASE_URL", variable):
            found = list(references(value))
            assert [secret for secret, _ in found if secret in SECRETS], variable
            assert all(rest.startswith(":?") for secret, rest in found if secret in SECRETS), variable


def test_each_secret_is_needed() -> None:
    assert {name for name, rest in references(compose()) if rest.startswith(":?")} == set(SECRETS)


@pytest.mark.parametrize("name", sorted(LONG_RUNNING))
def test_what_stays_up_says_when_it_is_ready_and_is_started_again(name: str) -> None:
    service = services()[name]
    path = dockerfile(service)
    assert "healthcheck" in service or (path and "HEALTHCHECK" in dict(instructions(path)))
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(ONE_SHOT))
def test_what_runs_once_is_not_started_again(name: str) -> None:
    # A worker that comes before its master tries again.
    assert services()[name]["restart"] == ("on-failure" if name == "loadgen-worker" else "no")


@pytest.mark.parametrize("name", services())
def test_the_order_of_start_is_by_readiness(name: str) -> None:
    for other, on in services()[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        # What a profile leaves out is waited for where it is there.
        assert on == {"condition": wanted, **({"required": False} if "profiles" in services()[other] else {})}


def test_the_pooler_stands_between_the_services_and_postgres_where_it_is_asked_for() -> None:
    """One variable leads there; whoever migrates, makes roles or listens goes past it."""
    pooler = services()["pooler"]
    assert pooler["profiles"] == ["pooler"]
    assert pooler["networks"]["default"]["aliases"] == [POOLED]
    leading = "@${STACK_POOLER:+pooled-}postgres:5432/"
    assert POOLED == "pooled-postgres"
    told = {(name, key): value for name in services() for key, value in services()[name]["environment"].items()}
    through = {place for place, value in told.items() if leading in str(value)}
    assert through == {("api", "DATABASE_URLS"), ("projector", "DATABASE_URLS")}
    assert "@postgres:5432/" in told["projector", "LISTEN_URL"]
    assert told["pooler", "POOL_MODE"] == "${STACK_POOLER:-}"


def test_each_shard_has_a_server_alike_to_which_one_variable_leads_all() -> None:
    """Whoever is told of stores is told of the second one where it is asked for, by a login of its own."""
    first, second = (services()[name] for name in STORES)
    own = {"profiles", "ports", "volumes"}
    assert {name: value for name, value in second.items() if name not in own} == {
        name: value for name, value in first.items() if name not in own
    }
    assert second["profiles"] == [SHARDED[1]]
    assert not set(first["ports"] + first["volumes"]) & set(second["ports"] + second["volumes"])
    told = {name: service["environment"].get("DATABASE_URLS") for name, service in services().items()}
    assert {name for name, urls in told.items() if urls} == {"migrate", "roles", "api", "projector"}
    for urls in filter(None, told.values()):
        one, led, other = urls.partition(f"${{{SECOND}:+ ")
        assert led
        assert other == one.replace("@${STACK_POOLER:+pooled-}", "@").replace("@postgres:", f"@{STORES[1]}:") + "}"


def test_listening_is_told_apart_only_where_a_pooler_stands_between() -> None:
    """Of several shards each is listened to at its own address: LISTEN_URL would be of one alone."""
    assert services()["projector"]["environment"]["LISTEN_URL"].startswith("${STACK_POOLER:+postgresql://")


def test_what_needs_the_schema_waits_for_it() -> None:
    for name in ("api", "projector"):
        assert "roles" in services()[name]["depends_on"]
    assert "migrate" in services()["roles"]["depends_on"]
    assert set(STORES) <= set(services()["migrate"]["depends_on"])


def test_who_is_stopped_has_time_to_end_in_order() -> None:
    assert seconds(services()["api"]["stop_grace_period"]) > GRACE_S
    # A statement under way is ended by its own limit of 10 s.
    assert seconds(services()["projector"]["stop_grace_period"]) > 10
    assert all("stop_grace_period" in services()[name] for name in set(services()) - {"migrate", "roles"})


def test_volumes_are_named_and_used() -> None:
    used = {
        volume.split(":")[0]
        for service in services().values()
        for volume in service.get("volumes", [])
        if not volume.startswith("./")
    }
    assert used == set(compose()["volumes"])


def test_postgres_keeps_its_data_where_version_18_has_it() -> None:
    assert services()["postgres"]["image"].startswith("postgres:18")
    assert services()["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_grafana_finds_its_files() -> None:
    grafana = services()["grafana"]
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in grafana["volumes"]
    assert "./grafana/dashboards:/var/lib/grafana/dashboards:ro" in grafana["volumes"]
    environment = grafana["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_influxdb_and_those_who_use_it_agree() -> None:
    made = services()["influxdb"]["environment"]
    for name in ("loadgen", "grafana"):
        used = services()[name]["environment"]
        assert used["INFLUX_TOKEN"] == made["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"]
        assert used["INFLUX_ORG"] == made["DOCKER_INFLUXDB_INIT_ORG"]
        assert used["INFLUX_BUCKET"] == made["DOCKER_INFLUXDB_INIT_BUCKET"]
        assert used["INFLUX_URL"] == "http://influxdb:8086"
