"""The HTTP client: wrk, driven by a script that creates, updates and deletes todos, or reads them.

Where wrk is missing, `bench.perf.programs.load` takes its place. It needs more of the machine, so figures are
lower; the reference is measured by the same client.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.errors import RunFailed
from bench.perf.row import Reading
from settings.children import PYTHON

CONNECTIONS: Final = 64
SCRIPTS: Final = Path(__file__).parent


def actions(base_url: str, seconds: float, *, connections: int = CONNECTIONS) -> Reading:
    """Actions/s, 40 % creates, 30 % updates and 30 % deletes of todos that were created before."""
    return _run("actions", base_url, seconds, connections, {})


def reads(base_url: str, seconds: float, ids: Path, *, connections: int = CONNECTIONS) -> Reading:
    """Reads/s of one todo by its id, each chosen by chance among those in the file."""
    return _run("reads", base_url, seconds, connections, {"IDS": str(ids)})


def client() -> str:
    """Which client it is."""
    return "wrk" if shutil.which("wrk") else "bench.perf.programs.load, as wrk is not installed (apt-get install wrk)"


def _run(kind: str, base_url: str, seconds: float, connections: int, variables: dict[str, str]) -> Reading:
    command = _command(kind, base_url, max(1, round(seconds)), connections)
    env = PYTHON.environment({"BASE_URL": base_url, **variables})
    done = subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=env,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise RunFailed(f"{command[0]} failed", (done.stderr or done.stdout)[-2000:])
    found = json.loads(done.stdout.splitlines()[-1])
    if found["refused"] or found["errors"]:
        raise RunFailed(
            f"{found['refused']} requests were refused and {found['errors']} failed, of {found['requests']}"
        )
    return Reading(
        found["requests"] / found["seconds"],
        {"p50": found["p50_ms"], "p99": found["p99_ms"], "requests": found["requests"]},
    )


def _command(kind: str, base_url: str, seconds: int, connections: int) -> list[str]:
    program = shutil.which("wrk")
    if program is None:
        return [
            sys.executable,
            "-m",
            "bench.perf.programs.load",
            kind,
            f"--connections={connections}",
            f"--seconds={seconds}",
        ]
    shape = ["--threads=1", f"--connections={connections}", f"--duration={seconds}s", "--timeout=10s"]
    return [program, *shape, f"--script={SCRIPTS / f'{kind}.lua'}", base_url]
