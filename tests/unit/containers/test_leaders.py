"""The processes of the stack's containers on this machine, as Docker tells their numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.platforms.compose import leaders
from bench.platforms.compose.compose import Compose
from bench.platforms.compose.leaders import ELSEWHERE, SILENT, ContainerLeaders
from tests.fakes.docker import FakeDocker
from tests.unit.containers.conftest import container


@pytest.fixture
def child() -> Iterator[int]:
    """The number of a process whose parent is this one."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], env={}, stdin=subprocess.PIPE)
    yield process.pid
    process.communicate(b"\n")


def stack(docker: FakeDocker, proc: Path, pid: int, *, ours: bool = True) -> ContainerLeaders:
    """A stack of an API and a load generator that have the same first process, and a projector that has ended."""
    docker.answer(
        "ps --all", [container("api"), container("loadgen"), container("projector", State="exited", ExitCode=1)]
    )
    docker.answer("inspect", f"api0123 {pid}\nloadgen0123 {pid}\n")
    (proc / str(pid)).mkdir(parents=True)
    told = "0::/system.slice/docker-api0123.scope\n1:cpu:/docker/loadgen0123\n" if ours else "0::/user.slice\n"
    (proc / str(pid) / "cgroup").write_text(told)
    return ContainerLeaders(Compose(), proc)


def test_each_container_is_a_part_by_its_first_process(docker: FakeDocker, tmp_path: Path, child: int) -> None:
    found = stack(docker, tmp_path / "proc", child)
    assert found.now().parts == {"api-1": child, "generator": child}
    assert found.now().reason == ""
    # All are known and live: Docker is asked no more.
    asked = len(docker.calls)
    found.now()
    assert len(docker.calls) == asked


def test_whoever_keeps_a_container_has_its_health_checks_below_it(
    docker: FakeDocker, tmp_path: Path, child: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaders, "KEEPERS", ("py",))
    assert stack(docker, tmp_path / "proc", child).now().parts["api-1"] == os.getpid()


def test_numbers_of_another_machine_are_nobodys_here(docker: FakeDocker, tmp_path: Path, child: int) -> None:
    found = stack(docker, tmp_path / "proc", child, ours=False).now()
    assert (found.parts, found.reason) == ({}, ELSEWHERE)


def test_a_docker_that_refuses_is_no_trouble_of_the_run(docker: FakeDocker, tmp_path: Path, child: int) -> None:
    found = stack(docker, tmp_path / "proc", child)
    docker.answer("inspect", code=1, err="Cannot connect to the Docker daemon")
    assert (found.now().parts, found.now().reason) == ({}, SILENT)
