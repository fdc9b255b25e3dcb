"""Whose a server is that a run has not started."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil

from bench.preflight.here import is_here
from bench.trial.resources.beside import postmaster_of


def test_a_server_is_known_by_its_backends_parent_and_the_moment_of_its_start() -> None:
    began = psutil.Process().create_time()
    child = subprocess.Popen([sys.executable, "-c", "input()"], env={}, stdin=subprocess.PIPE)
    try:
        assert postmaster_of(child.pid, began) == os.getpid()
        # Of another machine, or of a container: the number is somebody else's here.
        assert postmaster_of(child.pid, began - 3600) is None
    finally:
        child.communicate(b"\n")
    assert postmaster_of(child.pid, began) is None


def test_a_place_that_is_not_known_may_be_here() -> None:
    assert is_here("127.0.0.1")
    assert is_here("localhost")
    assert is_here("/var/run/postgresql")
    assert is_here("")
    assert is_here("no-such-host.invalid")
    assert not is_here("192.0.2.1")
