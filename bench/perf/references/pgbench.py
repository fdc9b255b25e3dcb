"""The reference of appending: pgbench, which is as fast as a client of Postgres gets."""

from __future__ import annotations

import os
import re
import subprocess
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf.lab import Lab
from bench.perf.row import Reading, Unmeasured
from bench.platforms.postgres.binaries import Binaries
from settings.children import PROGRAM

CLIENTS: Final = 16
TABLE: Final = "CREATE TABLE IF NOT EXISTS plain_events (LIKE events INCLUDING ALL)"
# Each client has 63 streams of its own, which makes 1,008, and writes them in turns; versions are gapless.
SCRIPT: Final = """
\\set n :n + 1
\\set stream :client_id * 63 + :n % 63
\\set version :n / 63 + 1
INSERT INTO plain_events (stream, version, type, data)
VALUES ('perf-' || :stream, :version, 'TodoUpdated', '{"text":"buy milk, bread and a newspaper"}');
"""

_RATE: Final = re.compile(r"tps = ([\d.]+) \(without initial")


def inserts(lab: Lab, url: str, seconds: float) -> Reading:
    """Events/s of one prepared insert a transaction, into an empty table with the shape and indexes of `events`."""
    program = lab.cluster.binaries.program("pgbench")
    if not os.access(program, os.X_OK):
        raise Unmeasured(
            f"there is no pgbench beside {_server(lab.cluster.binaries)}; install Postgres's client programs"
        )
    lab.sql(url, "DROP TABLE IF EXISTS plain_events", TABLE)
    script = lab.log / "insert.pgbench"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [program, "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}", f"--time={max(1, round(seconds))}"]
    command += ["--define=n=0", f"--file={script}", url]
    env = PROGRAM.environment()
    done = subprocess.run(
        command, env=env, capture_output=True, encoding="utf-8", errors="replace", check=False, stdin=subprocess.DEVNULL
    )
    found = _RATE.search(done.stdout)
    if done.returncode != 0 or not found:
        raise RunFailed("pgbench failed", (done.stderr or done.stdout)[-2000:])
    return Reading(float(found[1]))


def _server(binaries: Binaries) -> str:
    return f"the {binaries.source} server"
