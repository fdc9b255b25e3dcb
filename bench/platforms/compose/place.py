"""Where a run takes place: in the stack if it is up, else in a system that is started for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import Final

from bench import ROOT
from bench.platforms.compose.addresses import Addresses, addresses, as_it_runs
from bench.platforms.compose.compose import Compose, DockerSilent
from bench.platforms.compose.dotenv import missing
from bench.platforms.postgres.logins import addresses as told_where
from settings import Environment
from settings.catalogue.api import API_POOL_SIZE, API_PROCESSES
from settings.catalogue.database import DATABASE_URL, DATABASE_URLS, SHARDS
from settings.catalogue.load import BASE_URL, TARGET
from settings.catalogue.observation import ENDPOINTS, LOG_LEVEL
from settings.catalogue.projection import PROJECTORS

KEPT: Final = tuple(setting.name for setting in (API_PROCESSES, API_POOL_SIZE, LOG_LEVEL, *ENDPOINTS))
ANSWER_S: Final = 10.0
"""How long a run waits for Docker to say whether a stack is up; without an answer it does without Docker."""


_entered: Final[set[str]] = set()


def place(variables: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """The variables that send a run into the stack (none where it goes elsewhere), and a line that says where it goes.

    What the stack was told stays, unless the run tells it otherwise: how many projectors, and the API's own settings.
    """
    env = Environment(variables)
    if env.optional(BASE_URL.name):
        return {}, "in the system at BASE_URL"
    for setting in (DATABASE_URL, DATABASE_URLS):
        if env.optional(setting.name):
            return {}, f"embedded, on the database of {setting.name}"
    if (target := TARGET.read(env)) != TARGET.default:
        return {}, f"embedded: target {target}"
    asked = SHARDS.read(env) if env.optional(SHARDS.name) else None
    try:
        return _into_stack(variables, asked)
    except DockerSilent as silence:
        return {}, f"embedded: Docker is passed over ({silence.problem})"


def _into_stack(variables: Mapping[str, str], asked: int | None) -> tuple[dict[str, str], str]:
    found = find(variables)
    if found is None:
        return {}, "embedded: no stack is up"
    compose, where = found
    if asked not in (None, shards := len(where.databases)):
        return {}, f"embedded: {SHARDS.name}={asked}, and the stack has {shards}"
    containers = [container for container in compose.containers() if container.state == "running"]
    told = compose.environment(next(container for container in containers if container.service == "api"))
    kept = {name: told[name] for name in KEPT if told.get(name)}
    kept[PROJECTORS.name] = str(max(1, sum(container.service == "projector" for container in containers)))
    given = {name: value for name, value in variables.items() if name in kept and value.strip()}
    _entered.add(where.api)
    return {
        **kept,
        **given,
        BASE_URL.name: where.api,
        **told_where(where.databases),
    }, f"in the stack at {where.api}"


def at(base_url: str) -> tuple[Compose, Addresses] | None:
    """The stack, if its API is the one at this address. Raises DockerSilent if a run was sent there, and only then."""
    try:
        found = find()
    except DockerSilent:
        if base_url in _entered:
            raise
        return None
    return found if found is not None and found[1].api == base_url else None


def find(variables: Mapping[str, str] = os.environ) -> tuple[Compose, Addresses] | None:
    """The stack, if its API is ready."""
    if shutil.which("docker") is None or missing(ROOT / ".env", variables):
        return None
    compose = Compose(patience_s=ANSWER_S)
    containers = compose.containers()
    if not any(container.service == "api" and container.well for container in containers):
        return None
    compose = as_it_runs(compose, containers)
    return compose, addresses(compose, compose.config())
