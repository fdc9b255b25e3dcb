"""Command line of Locust's process: headless, its files in the results folder, alone or as the master of workers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from services.loadgen.settings import Settings

LOCUSTFILE: Final = Path(__file__).parents[1] / "locustfile.py"
STOP_TIMEOUT_S: Final = 12
MODEST_SPAWN_RATE: Final = 100
WORKERS_WITHIN_S: Final = 30


def locust_command(settings: Settings) -> list[str]:
    """Locust without its page. Users of a staged scenario follow the phases; else all are spawned in the warm-up."""
    folder = settings.results_dir.resolve()
    command = [sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", settings.base_url]
    command += ["--stop-timeout", str(STOP_TIMEOUT_S), "--web-host", "127.0.0.1", "--only-summary"]
    command += ["--csv", str(folder / "locust"), "--html", str(folder / "locust.html"), "--skip-log-setup"]
    if not settings.scenario.staged:
        rate = max(MODEST_SPAWN_RATE, settings.users / max(settings.warmup_s / 2, 1))
        command += ["--users", str(settings.users), "--spawn-rate", str(rate)]
    return command


def as_master(address: str, workers: int) -> list[str]:
    """What makes it the master of so many workers, which come to `address`."""
    host, _, port = address.rpartition(":")
    master = ["--master", "--master-bind-host", host, "--master-bind-port", port]
    return [*master, "--expect-workers", str(workers), "--expect-workers-max-wait", str(WORKERS_WITHIN_S)]
