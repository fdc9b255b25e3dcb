"""The platform of a run: a named one, the stack of containers, what somebody else runs, or one started for the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.platforms import attached
from bench.platforms.compose import place
from bench.platforms.compose import system as compose
from bench.platforms.compose.addresses import Addresses
from bench.platforms.compose.compose import Compose
from bench.platforms.kubernetes import place as cluster
from bench.platforms.kubernetes import system as kubernetes
from bench.platforms.local import database
from bench.platforms.local import system as local
from bench.platforms.platform import System
from bench.platforms.targets import folder
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from settings import Environment
from settings.catalogue.load import PLATFORM


def choose(variables: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Look where a run goes: the variables that lead it there (none where nothing changes), and a line that says it.

    Raises SettingError for a platform that is not known.
    """
    named = PLATFORM.optional(Environment(variables))
    return place.place(variables) if named is None else ({}, cluster.told(named))


@contextmanager
def running_system(settings: Settings, log: Path, progress: Progress, *, relayed: bool = False) -> Iterator[System]:
    """The system, ready; what was started for the run is stopped at the end. Raises SetupError, RunFailed.

    `relayed`: its services reach Postgres through a relay, on a platform that can do so.
    """
    found = _containers(settings)
    if settings.platform is not None:
        opened = kubernetes.running(settings.platform, settings, log, progress)
    elif found is not None:
        opened = compose.running(found, settings, log, progress)
    elif settings.base_url is not None:
        opened = attached.running(settings, log, progress)
    else:
        opened = local.running(settings, log, progress, relayed=relayed)
    with opened as system:
        yield system


@contextmanager
def prepared_database(settings: Settings, log: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """The environment in which the database of a run can be examined; a throw-away one is removed at the end."""
    with database.prepared(settings, log, progress) as environment:
        yield environment


def require(settings: Settings) -> None:
    """Raise SetupError for a target that can not run here, before anything is started or measured."""
    if settings.base_url is None:
        folder.require(settings.target)


def changeable(settings: Settings) -> bool:
    """True where a run sets the system's mode and projectors; one that somebody else runs is as it is."""
    return settings.base_url is None or _containers(settings) is not None


def _containers(settings: Settings) -> tuple[Compose, Addresses] | None:
    # Whoever gives an address without its database has a system measured as it is, by what it shows over HTTP.
    return None if settings.base_url is None or settings.database_url is None else place.at(settings.base_url)
