"""The system at BASE_URL, which somebody else has started: measured as it is, and without any power over its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench import ROOT
from bench.ends.errors import SetupError
from bench.ends.guardian import Guardian
from bench.platforms import http_client
from bench.platforms.platform import Leaders, Part, System
from bench.platforms.postgres.logins import Logins
from bench.platforms.preparation import examined_as_reader, reach, start_loadgen
from bench.platforms.processes import Process, Processes
from bench.platforms.targets.offered import offered
from bench.preflight import description, limits, told
from bench.preflight.here import is_here
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Versions
from settings.hiding import hide

MIXED: Final = "the processes of the system at BASE_URL can not be told from others of this machine"


class Attached:
    """The platform of a system that is only reached by its addresses."""

    name = "attached"

    def __init__(self, settings: Settings, base_url: str, processes: Processes) -> None:
        self._settings = settings
        self._base_url = base_url
        self._processes = processes
        self._generator: Process | None = None

    def parts(self) -> list[Part]:
        """None of them can be reached."""
        return []

    def leaders(self) -> Leaders:
        """The load generator's. Those of a system elsewhere are none of this machine's."""
        found = {"generator": self._generator.pid} if self._generator else {}
        return Leaders(found, MIXED if is_here(urlsplit(self._base_url).hostname or "") else "")

    def versions(self) -> Versions:
        """Those of the project here, which may not be what runs there."""
        return description.versions(ROOT)

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator on this machine."""
        self._generator = start_loadgen(self._processes, self._settings, self._base_url, folder)
        return self._generator


@contextmanager
def running(settings: Settings, log: Path, _: Progress) -> Iterator[System]:
    """Attach to the system of BASE_URL. Raises SetupError where it is not there or in another mode."""
    limits.require(settings)
    with Guardian() as guardian:
        processes = Processes(log, guardian)
        try:
            yield _attach(settings, processes)
        finally:
            processes.stop()


def _attach(settings: Settings, processes: Processes) -> System:
    assert settings.base_url is not None
    _check_strategy(settings, settings.base_url)
    urls = settings.database_urls
    # Each is reached, and what is told of a run's server is told of the first.
    told = [reach(url, source="DATABASE_URL", profile="given") for url in urls]
    logins = [Logins.given(url) for url in urls]
    seen = _with_what_it_offers(settings.without_observation(), settings.base_url)
    return System(
        platform=Attached(seen, settings.base_url, processes),
        settings=seen,
        base_url=settings.base_url,
        logins=logins[0] if logins else None,
        postgres=told[0] if told else None,
        doctor=examined_as_reader(settings, *urls) if urls else None,
        processes=processes,
        influx=settings.influx,
        has_store=settings.target.ours,
        further=tuple(logins[1:]),
    )


def _with_what_it_offers(settings: Settings, base_url: str) -> Settings:
    """The same with what the system is seen to offer, and its proof; ours has declared it, another is looked at."""
    if settings.target.told:
        return settings
    return replace(settings, target=settings.target.offering(offered(base_url)))


def _check_strategy(settings: Settings, base_url: str) -> None:
    """Raise SetupError where the system is not there, or says of itself that it is run in another way."""
    stats: Mapping[str, Any] | None = http_client.figures(base_url)
    if stats is None:
        raise SetupError(
            "BASE_URL",
            f"{hide(base_url, base_url)} gives no statistics at /stats, or lacks one of their required figures",
            "start that system, correct the address, or unset it so that one is started",
        )
    serial = stats.get("serialProjection")
    if isinstance(serial, bool) and serial != (settings.mode == "serial"):
        found = "serial" if serial else "parallel"
        raise SetupError("BASE_URL", f"that system runs in {found} mode", f"run the bench with --mode {found}")
    if others := told.others(settings, {ours: stats.get(theirs, []) for ours, theirs in told.IN_STATS.items()}):
        raise SetupError(
            "BASE_URL", others, "set STRATEGY, HANDLER and READ_MODELS to how they work, the same for all of them"
        )
