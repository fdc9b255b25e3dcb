"""`task dev` and `task bench:ui`: the system for use by hand, until Ctrl-C."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import ROOT
from bench.ends.guardian import Guardian
from bench.platforms.choice import running_system
from bench.platforms.platform import System
from bench.platforms.postgres.cluster import free_port
from bench.platforms.postgres.logins import addresses
from bench.platforms.preparation import capabilities
from bench.platforms.processes import POLL_S
from bench.preflight.settings import Settings
from bench.report.progress import Lines
from settings.children import LOCUST, LOCUST_FOLDER

LOCUSTFILE = ROOT / "services" / "loadgen" / "locustfile.py"

CURL = """\
  curl -i -X POST {base}/todos -H 'Content-Type: application/json' -d '{{"text": "hello"}}'
  curl -s {base}/todos
  curl -s {base}/stats
"""
OURS = """\
  curl -i -X POST {base}/drain
  open {base}/schema
  {operator} python -m services.projector unblock --all
"""
PSQL = """\
  psql '{database}'
"""
"""What every target takes, what ours does besides, and the way to its server."""


def dev(settings: Settings, console: Console) -> None:
    """Run the system and print what to do with it. Ends with Ctrl-C, or with RunFailed when a part of it ends."""
    with _running(settings, console) as (system, log):
        text = _told(system)
        console.print(Text(f"\nThe system runs. Logs are in {log}. Ctrl-C stops it.\n\n{text}"), soft_wrap=True)
        _watch(system)


def _told(system: System) -> str:
    told = addresses([logins.operator for logins in system.shards]) if system.shards else {}
    operator = " ".join(f"{name}='{value}'" for name, value in told.items())
    text = (CURL + (OURS if system.has_store else "")).format(base=system.base_url, operator=operator)
    return text + "".join(PSQL.format(database=logins.owner) for logins in system.shards)


def ui(settings: Settings, console: Console) -> None:
    """Run the system and Locust's web UI, both on 127.0.0.1, until Ctrl-C."""
    with _running(settings, console) as (system, log):
        port = free_port()
        locust = ["-P", "-m", "locust", "-f", str(LOCUSTFILE), "--host", system.base_url]
        # What the page proposes.
        locust += ["--users", str(settings.users), "--spawn-rate", str(settings.users)]
        locust += ["--web-host", "127.0.0.1", "--web-port", str(port), "--stop-timeout", "10"]
        env = LOCUST.environment(
            {
                **system.settings.environment(),
                **capabilities(system.settings),
                "BASE_URL": system.base_url,
                "RESULTS_DIR": str(log),
            }
        )
        system.processes.start("locust", locust, env, cwd=LOCUST_FOLDER)
        console.print(Text(f"\nLocust's web UI: http://127.0.0.1:{port}  (Ctrl-C stops everything)\n"), soft_wrap=True)
        _watch(system)


@contextmanager
def _running(settings: Settings, console: Console) -> Iterator[tuple[System, Path]]:
    with tempfile.TemporaryDirectory(prefix="tidemark-log-") as folder, Guardian() as guardian:
        log = Path(folder)
        guardian.keep_clean(log)
        with running_system(settings, log, Lines(console)) as system:
            yield system, log


def _watch(system: System) -> None:
    while True:
        system.processes.check()
        time.sleep(POLL_S)
