"""The plain users of the row `generator`: their figures are of the window between warm-up and end alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from bench import ROOT
from bench.perf.rows.generator import PLAIN_USERS

PROGRAM = f"""
import sys, types
sys.path.insert(0, {str(PLAIN_USERS.parent)!r})
import gevent, plain_users
total = types.SimpleNamespace(num_requests=500, num_failures=90)
def serve():
    gevent.sleep(0.3)
    total.num_requests, total.num_failures = 800, 93
gevent.spawn(serve)
plain_users.measure(types.SimpleNamespace(stats=types.SimpleNamespace(total=total), runner=None))
"""
"""A failure of the warm-up is none of the window; importing Locust patches a process, so this one is another."""


def test_failures_of_the_warm_up_are_not_held_against_the_window() -> None:
    told = {"VUS": "1", "WRITE_RATIO": "1", "WARMUP_S": "0", "DURATION_S": "1"}
    command = [sys.executable, "-P", "-c", PROGRAM]
    ran = subprocess.run(command, env={**os.environ, **told}, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout.splitlines()[-1])
    assert (found["requests"], found["failed"]) == (300, 3)
