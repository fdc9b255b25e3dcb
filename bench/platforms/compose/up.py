"""`task up`: secrets, ports, images, then everything started and waited for. Any number of times."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Console

from bench import ROOT
from bench.ends.errors import SetupError
from bench.platforms.compose import dotenv
from bench.platforms.compose.addresses import STORES, addresses, as_it_runs, in_shards, led_to, pooled
from bench.platforms.compose.compose import LASTING, LOAD, POOLER, SHARDED, Compose, Container
from bench.platforms.compose.diagnosis import check_ports, explain
from bench.platforms.compose.observers import troubles
from bench.preflight.description import versions
from bench.preflight.settings import Settings
from settings import Environment, SettingError
from settings.catalogue.database import SHARDS
from settings.catalogue.projection import PROJECTORS
from settings.catalogue.stack import STACK_POOLER

LOG: Final = ROOT / ".cache" / "stack.log"
WAIT_S: Final = 180
DIRTY: Final = "-dirty"


def up(compose: Compose, console: Console) -> None:
    """Bring the stack up and return when every part of it is ready. Raises SetupError, SettingError."""
    settings = Settings.from_env(os.environ)
    STACK_POOLER.optional(Environment(os.environ))
    _secrets(compose, console)
    running = compose.containers()
    compose = _in_shards(compose.with_variables({**told(settings), **revision()}), settings, running)
    config = compose.config()
    profiles = _profiles(config)
    check_ports(config, running)
    console.print("· building the images")
    _logged(compose, *LOAD, "build")
    if _replaced(compose, config, running):
        console.print("· stopping the projectors of the former version: the schema may change")
        _logged(compose, "stop", "projector")
    console.print("· starting, and waiting until all is ready")
    start(compose, projectors=wanted(compose, settings), profiles=profiles)
    found = addresses(compose, config)
    for trouble in troubles(found, config):
        raise trouble
    console.print(f"\n  API       {found.api}/stats   {found.api}/schema", soft_wrap=True)
    if found.grafana:
        console.print(f"  Grafana   {found.grafana}   (to edit: admin, GRAFANA_PASSWORD of .env)", soft_wrap=True)
    if found.influxdb:
        console.print(f"  InfluxDB  {found.influxdb}   (tidemark, INFLUX_PASSWORD of .env)", soft_wrap=True)
    console.print("\n  task bench:parallel   task bench:serial   task scale N=4   task logs   task down\n")


def _in_shards(compose: Compose, settings: Settings, running: Iterable[Container]) -> Compose:
    """SHARDS if it is set, else as many as there are, else one. Raises SettingError for more than there can be."""
    if SHARDS.optional(Environment(os.environ)) is None:
        return as_it_runs(compose, running)
    if settings.shards > len(STORES):
        raise SettingError(SHARDS.name, str(settings.shards), f"{len(STORES)} at most in the stack")
    return in_shards(compose, settings.shards)


def _profiles(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of what stands between the services and Postgres, and of the second shard. Raises SettingError for both."""
    sharded = len(led_to(config["services"]["api"]["environment"])) > 1
    if pooled(config) and sharded:
        raise SettingError(STACK_POOLER.name, "…", f"no value with {SHARDS.name}: the pooler leads to one server")
    return POOLER if pooled(config) else SHARDED if sharded else ()


def _replaced(compose: Compose, config: Mapping[str, Any], running: Iterable[Container]) -> bool:
    """Whether projectors run that `up` replaces. Compose would end them after the migration, which waits for them."""
    ids = [one.id for one in running if one.service == "projector" and one.state == "running"]
    if not ids:
        return False
    built = compose.docker("image", "inspect", "--format", "{{.Id}}", config["services"]["projector"]["image"])
    return any(compose.docker("inspect", "--format", "{{.Image}}", each) != built for each in ids)


def start(compose: Compose, *services: str, projectors: int, profiles: Iterable[str] = ()) -> None:
    """Start or change what is not as it should be, and wait until it is. Raises SetupError."""
    arguments = [
        *profiles,
        "up",
        "--detach",
        "--wait",
        "--wait-timeout",
        str(WAIT_S),
        "--scale",
        f"projector={projectors}",
    ]
    if services:
        arguments.append("--no-deps")
    done = compose.call(*arguments, *services)
    _log(done.stdout + done.stderr)
    if done.returncode != 0:
        raise explain(compose, done.stderr)


def add(compose: Compose, service: str, count: int) -> None:
    """Start so many containers of one service beside the others, and wait for nothing. Raises SetupError."""
    done = compose.call("up", "--detach", "--no-deps", "--scale", f"{service}={count}", service)
    _log(done.stdout + done.stderr)
    if done.returncode != 0:
        raise explain(compose, done.stderr)


def told(settings: Settings) -> dict[str, str]:
    """What the services are told by the settings. An unset one is left to the service."""
    return {name: value for name, value in settings.environment().items() if value}


def wanted(compose: Compose, settings: Settings) -> int:
    """PROJECTORS if it is set, else as many as there are, else one."""
    if PROJECTORS.optional(Environment(os.environ)) is not None:
        return settings.projectors
    return sum(container.service == "projector" for container in compose.containers()) or settings.projectors


def revision() -> dict[str, str]:
    """The revision that images are labelled with."""
    found = versions(ROOT)
    return {"REVISION": f"{found['revision'] or 'unknown'}{DIRTY if found['dirty'] else ''}"}


def _secrets(compose: Compose, console: Console) -> None:
    path, example = ROOT / ".env", ROOT / ".env.example"
    names = dotenv.missing(path, os.environ)
    if not names:
        return
    project = os.environ.get("COMPOSE_PROJECT_NAME") or "tidemark"
    volumes = compose.docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={project}")
    if volumes and (lost := [name for name in names if name in LASTING]):
        raise SetupError(
            ".env",
            f"does not have {', '.join(lost)}, and an earlier stack left volumes that were made with them",
            "put the old .env back, or `task reset` (drops the data)",
        )
    cores = int(compose.docker("info", "--format", "{{.NCPU}}"))
    made = "made" if not path.exists() else "completed"
    dotenv.complete(path, example, names, cores=cores)
    console.print(f"· {made} .env with fresh secrets")


def _logged(compose: Compose, *arguments: str) -> None:
    done = compose.call(*arguments)
    _log(done.stdout + done.stderr)
    if done.returncode != 0:
        raise explain(compose, done.stderr)


def _log(text: str) -> None:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as stream:
        stream.write(text)
