"""`python -m services.api`: serve until told to stop; requests under way are finished first."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from eventstore.errors import StoreUnavailable
from eventstore.postgres import Database
from eventstore.shards.hash_slots import places
from services import telemetry
from services.address_notes import notes, require_place
from services.api.serving.server import serve
from services.api.settings import Settings
from services.logs import set_up
from settings import SettingError
from settings.catalogue.database import variable
from settings.command_line import terminal
from settings.hiding import hider


async def reach_stores(settings: Settings) -> list[str]:
    """Reach each store once. Returns what a log should tell of the addresses. Raises StoreUnavailable, SettingError.

    Of several shards one that is away is told, and served once it answers: the others need not wait for it.
    """
    noted: list[str] = []
    away: list[StoreUnavailable] = []
    urls = settings.database_urls
    for url, place in zip(urls, places(len(urls)), strict=True):
        try:
            async with Database(url, pool_size=1, application_name="api start", bounds=settings.bounds) as database:
                await require_place(database, place)
                noted += notes(database, place)
        except StoreUnavailable as error:
            away.append(error)
            noted.append(f"{variable(len(urls))}: {place} can not be reached: {error}")
    if len(away) == len(urls):
        raise away[0]
    return noted


def _check_address(settings: Settings) -> None:
    """Raises SettingError unless the address can be listened on."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SettingError("API_HOST", settings.host, f"an address of this machine: {error.strerror}") from error
    with socket.socket(family, kind) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise SettingError(
                    "API_HOST", settings.host, f"an address of this machine: {error.strerror}"
                ) from error
            expected = f"a port that is free on {settings.host}: {error.strerror}"
            raise SettingError("API_PORT", str(settings.port), expected) from error


def main() -> int:
    """Run the API. Returns the exit code; 2 is a setting that can not be used, told in one line."""
    try:
        settings = Settings.from_env(os.environ)
        telemetry.wanted(os.environ)
        _check_address(settings)
        noted = asyncio.run(reach_stores(settings))
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    except StoreUnavailable as error:
        print(hider(os.environ)(f"{variable(len(settings.database_urls))}: {error}"), file=sys.stderr)
        return 2
    set_up(settings.log_level, "api")
    for note in noted:
        structlog.get_logger().warning("database address", note=note)
    with _shared_metrics(settings.processes):
        serve(settings)
    return 0


@contextmanager
def _shared_metrics(processes: int) -> Iterator[None]:
    """A folder for the values of several processes. One keeps its own: a mapped file ends it where the disk is full."""
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if processes == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tidemark-api-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main())
