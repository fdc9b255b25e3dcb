"""The HTTP client: wrk, driven by a script that creates, updates and deletes todos, or reads them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.errors import RunFailed
from bench.perf.row import Reading, Unmeasured

CONNECTIONS: Final = 64
SCRIPTS: Final = Path(__file__).parent


def actions(base_url: str, seconds: float, *, connections: int = CONNECTIONS) -> Reading:
    """Actions/s, 40 % creates, 30 % updates and 30 % deletes of todos that were created before."""
    return _run("actions.lua", base_url, seconds, connections, {})


def reads(base_url: str, seconds: float, ids: Path, *, connections: int = CONNECTIONS) -> Reading:
    """Reads/s of one todo by its id, each chosen by chance among those in the file."""
    return _run("reads.lua", base_url, seconds, connections, {"IDS": str(ids)})


def _run(script: str, base_url: str, seconds: float, connections: int, variables: dict[str, str]) -> Reading:
    program = shutil.which("wrk")
    if program is None:
        raise Unmeasured("wrk is not on this machine; install it (apt-get install wrk, brew install wrk)")
    command = [program, "--threads=1", f"--connections={connections}", f"--duration={max(1, round(seconds))}s"]
    command += ["--timeout=10s", f"--script={SCRIPTS / script}", base_url]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **variables}, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0 or not done.stdout.strip():
        raise RunFailed("wrk failed", (done.stderr or done.stdout)[-2000:])
    found = json.loads(done.stdout.splitlines()[-1])
    if found["refused"] or found["errors"]:
        raise RunFailed(
            f"{found['refused']} requests were refused and {found['errors']} failed, of {found['requests']}"
        )
    return Reading(
        found["requests"] / found["seconds"],
        {"p50": found["p50_ms"], "p99": found["p99_ms"], "requests": found["requests"]},
    )
