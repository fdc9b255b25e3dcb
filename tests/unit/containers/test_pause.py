"""A container that is paused goes on, whatever becomes of the bench."""

from __future__ import annotations

import subprocess
import sys

from bench import ROOT
from bench.ends.guardian import Guardian
from bench.platforms.compose.compose import Compose
from bench.platforms.compose.parts import ContainerPart
from settings.children import PYTHON
from tests.fakes.docker import FakeDocker

STOP, CONT = ("kill --signal STOP tidemark-projector-1", "kill --signal CONT tidemark-projector-1")
DYING = """
import os
from bench.ends.guardian import Guardian
from bench.platforms.compose.compose import Compose
from bench.platforms.compose.parts import ContainerPart
guardian = Guardian()
ContainerPart(Compose(), "projector", "tidemark-projector-1", guardian=guardian).pause()
os._exit(9)
"""


def test_a_bench_that_dies_leaves_no_container_paused(docker: FakeDocker) -> None:
    env = PYTHON.environment({"PATH": str(docker.folder)})
    done = subprocess.run(
        [sys.executable, "-c", DYING], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 9, done.stderr
    # Its guardian has the same standard output, so it has ended, too.
    assert docker.calls == [STOP, CONT]


def test_who_went_on_is_left_alone_by_the_guardian(docker: FakeDocker) -> None:
    with Guardian() as guardian:
        part = ContainerPart(Compose(), "projector", "tidemark-projector-1", guardian=guardian)
        part.pause()
        part.resume()
    assert docker.calls == [STOP, CONT]
