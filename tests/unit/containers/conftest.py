"""A Docker that says what a test wants, and a project folder that is not this one's."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import ROOT
from bench.platforms.compose import __main__ as command
from bench.platforms.compose import place, up
from bench.platforms.compose.compose import SECRETS
from tests.fakes.docker import FakeDocker

CONFIG: dict[str, Any] = {
    "services": {
        "api": {
            "environment": {
                "API_HOST": "0.0.0.0",
                "API_PORT": "8000",
                "DATABASE_URLS": "postgresql://tidemark_api:pw@postgres:5432/tidemark",
            },
        },
        "roles": {
            "environment": {
                "DATABASE_URLS": "postgresql://tidemark:pw@postgres:5432/tidemark",
                "TIDEMARK_ORACLE_PASSWORD": "looks",
            },
        },
        "projector": {
            "image": "tidemark-projector",
            "environment": {"DATABASE_URLS": "", "SERIAL_PROJECTION": None},
        },
        "postgres": {"image": "postgres:18"},
    }
}


ONE = ["DATABASE_URLS=postgresql://a"]
"""What `docker inspect` tells of the environment of a service that has one shard."""


def two_shards() -> dict[str, Any]:
    """`docker compose config` of a stack that is led to the second shard, too."""
    config = copy.deepcopy(CONFIG)
    for service in ("api", "roles"):
        told = config["services"][service]["environment"]
        told["DATABASE_URLS"] += " " + told["DATABASE_URLS"].replace("@postgres:", "@postgres-2:")
    config["services"]["postgres-2"] = {"image": "postgres:18", "profiles": ["shards"]}
    return config


def container(service: str, **more: object) -> dict[str, object]:
    """One entry of `docker compose ps`."""
    return {"ID": service, "Name": f"tidemark-{service}-1", "Service": service, "State": "running", **more}


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDocker:
    """A Docker that works, with nothing started yet, and secrets in the environment."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in SECRETS:
        monkeypatch.setenv(name, "secret")
    for name in ("DATABASE_URL", "DATABASE_URLS", "SHARDS", "BASE_URL", "PROJECTORS", "COMPOSE_FILE"):
        monkeypatch.delenv(name, raising=False)
    project = tmp_path / "project"
    project.mkdir()
    (project / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())
    monkeypatch.setattr(up, "ROOT", project)
    monkeypatch.setattr(place, "ROOT", project)
    monkeypatch.setattr(up, "LOG", project / ".cache" / "stack.log")
    fake = FakeDocker(folder)
    fake.answer("inspect --format {{json .Config.Env}}", ONE)
    fake.answer("config --format json", CONFIG)
    fake.answer("port api", "127.0.0.1:8000\n")
    fake.answer("port postgres", "127.0.0.1:5555\n")
    fake.answer("port postgres-2", "127.0.0.1:5556\n")
    fake.answer("info --format {{.NCPU}}", "3\n")
    return fake


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `python -m bench.platforms.compose …` in this process: exit code, output, complaint."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench.platforms.compose", *arguments])
        code = command.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
