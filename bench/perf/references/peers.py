"""The peers: each driven by a program in `peers/`, through its public API, installed by `task peers:install`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench import ROOT
from bench.ends.errors import RunFailed
from bench.perf.lab import Lab
from bench.perf.row import Measure, Reading, Unmeasured
from settings.children import INSTALLER

FOLDER: Final = ROOT / ".peers"
PROGRAMS: Final = ROOT / "peers"
REQUIREMENTS: Final = ("eventsourcing==9.5.6", "psycopg[binary]==3.3.9", "psycopg-pool==3.3.3")
PACKAGES: Final = ("@event-driven-io/emmett@0.42.0", "@event-driven-io/emmett-postgresql@0.42.0")
Peer = Callable[..., dict[str, Any]]

REBUILT: Final = 20_000
"""Events of a peer's rebuild: enough for a steady rate, which does not rise with more."""


def _python() -> Path:
    return FOLDER / "python" / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def install() -> None:
    """Install the peers into `.peers/`, which is not committed. Raises Unmeasured where a tool is missing."""
    FOLDER.mkdir(exist_ok=True)
    _call(sys.executable, "-m", "venv", "--clear", str(FOLDER / "python"))
    _call(str(_python()), "-m", "pip", "install", "--quiet", *REQUIREMENTS)
    npm = shutil.which("npm")
    if npm is None:
        raise Unmeasured("npm is not on this machine; install Node 20 or newer")
    _call(npm, "install", "--prefix", str(FOLDER), "--no-audit", "--no-fund", "--silent", *PACKAGES)
    # Node looks for packages beside the program, so the program goes to the packages.
    shutil.copy(PROGRAMS / "emmett.mjs", FOLDER / "emmett.mjs")


def versions() -> dict[str, str]:
    """The peers' packages, and where what is said of act comes from."""
    return {
        "eventsourcing": " ".join(REQUIREMENTS),
        "emmett": " ".join(PACKAGES),
        "act": "@rotorsoft/act 1.31 with act-pg 1.19, not installable here; not from this run",
    }


def appends(lab: Lab, load: str, seconds: float) -> Mapping[str, Measure]:
    """Events/s that each peer appends: `many` streams with many writers, or one `hot` stream with one."""
    return {name: _each_fresh(lab, peer, "append", load, str(seconds)) for name, peer in PEERS.items()}


def rebuilds(lab: Lab) -> Mapping[str, Measure]:
    """Events/s that each peer projects from a history, into a table with its tracking in the same transaction."""
    return {name: _each_fresh(lab, peer, "rebuild", str(lab.size(REBUILT))) for name, peer in PEERS.items()}


def _each_fresh(lab: Lab, peer: Peer, *arguments: str) -> Measure:
    def measure() -> Reading:
        with lab.bare_database() as url:
            found = peer(lab, url, *arguments)
        return Reading(found.pop("events_per_s"), found)

    return measure


def _eventsourcing(lab: Lab, url: str, *arguments: str) -> dict[str, Any]:
    if not _python().exists():
        raise Unmeasured("not installed; run `task peers:install`")
    return lab.command([str(_python()), str(PROGRAMS / "eventsourcing_todo.py"), *arguments], {"DATABASE_URL": url})


def _emmett(lab: Lab, url: str, *arguments: str) -> dict[str, Any]:
    node = shutil.which("node")
    program = FOLDER / "emmett.mjs"
    if node is None or not program.exists():
        raise Unmeasured("not installed; run `task peers:install`")
    return lab.command([node, str(program), *arguments], {"DATABASE_URL": url})


PEERS: Final = {"eventsourcing": _eventsourcing, "emmett": _emmett}


def _call(*command: str) -> None:
    done = subprocess.run(
        command, env=INSTALLER.environment(), capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode != 0:
        raise RunFailed(f"{' '.join(command[:4])} failed", (done.stderr or done.stdout)[-2000:])
