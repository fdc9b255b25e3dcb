"""The system that a run measures: the stack of containers, one that somebody else runs, or one started for the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.platforms.compose import place, system
from bench.platforms.compose.addresses import Addresses
from bench.platforms.compose.compose import Compose
from bench.platforms.local.system import Stack, running_stack
from bench.trial.progress import Progress
from bench.trial.settings import Settings


@contextmanager
def running_system(settings: Settings, log: Path, progress: Progress) -> Iterator[Stack]:
    """The system, ready; what was started for the run is stopped at the end. Raises SetupError, RunFailed."""
    found = _containers(settings)
    if found is not None:
        with system.running(found, settings, log, progress) as contained:
            yield contained
        return
    with running_stack(settings, log, progress) as started:
        yield started


def changeable(settings: Settings) -> bool:
    """True where a run sets the system's mode and projectors; one that somebody else runs is as it is."""
    return settings.base_url is None or _containers(settings) is not None


def _containers(settings: Settings) -> tuple[Compose, Addresses] | None:
    return None if settings.base_url is None else place.at(settings.base_url)
