"""A whole run in an environment that tells every tool inside something else: it converges, and says what acted."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from settings.children import GIT
from tests.acceptance.bench_process import ROOT, bench
from tests.acceptance.hostile import NOBODY, VARIABLES, home, project

SLEEPS: Final = "#!/bin/sh\nexec sleep 600\n"
SECRETS: Final = dict.fromkeys(("INFLUX_TOKEN", "INFLUX_PASSWORD", "GRAFANA_PASSWORD"), "secret")
SECRETS_OF_ROLES: Final = {
    f"TIDEMARK_{role}_PASSWORD": "secret" for role in ("API", "PROJECTOR", "OPERATOR", "ORACLE", "SCALER")
}
TRACED: Final = {"OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY, "OTEL_EXPORTER_OTLP_HEADERS": "authorization=hidden"}


@dataclass
class Ran:
    """What the run left."""

    code: int | None
    said: str
    documents: dict[str, Any]
    logs: str
    page: str
    clean: bool


async def _run(folder: Path) -> Ran:
    tools = folder / "tools"
    tools.mkdir()
    (tools / "docker").write_text(SLEEPS)
    (tools / "docker").chmod(0o755)
    variables = {
        **VARIABLES,
        **TRACED,
        **{"HOME": str(home(folder / "home")), "PYTHONPATH": str(ROOT), "POSTGRES_PASSWORD": "secret"},
        **SECRETS,
        **SECRETS_OF_ROLES,
        **{"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "VUS": "10", "DURATION": "2s", "WARMUP": "0s"},
    }
    async with bench("run", "throughput", cwd=str(project(folder / "project")), **variables) as ran:
        await ran.ended()
        clean, kept = await ran.nothing_left(), ran.bundle
        documents = {path.stem: json.loads(path.read_text()) for path in kept.glob("*.json")}
        logs = "\n".join(path.read_text() for path in (kept / "log").iterdir())
        return Ran(ran.code, ran.said, documents, logs, (kept / "report.html").read_text(), clean)


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    """One run, looked at by every test."""
    with tempfile.TemporaryDirectory(prefix="tidemark-test-") as folder:
        os.chmod(folder, 0o755)
        yield asyncio.run(_run(Path(folder)))


def test_it_converges_and_leaves_nothing(ran: Ran) -> None:
    assert ran.code == 0, ran.said
    assert ran.documents["result"]["verdict"] == "converged"
    assert ran.documents["result"]["throughput"]["errors"] == 0
    assert ran.clean


def test_a_docker_that_sleeps_is_passed_over_with_a_word(ran: Ran) -> None:
    first = next(line for line in ran.said.splitlines() if line.startswith("·"))
    assert first == "· embedded: Docker is passed over (`docker compose`: no answer within 10 s)"


def test_the_settings_of_the_run_stand_and_no_others(ran: Ran) -> None:
    settings = ran.documents["result"]["settings"]
    assert (settings["VUS"], settings["DURATION"], settings["API_PROCESSES"]) == (10, "2s", 1)
    assert ran.documents["loadgen"]["throughput"]["actions"] > 0
    assert "authorization" not in json.dumps(ran.documents)
    assert "preload.so" not in ran.logs


def test_the_revision_is_that_of_this_tree(ran: Ran) -> None:
    command = ["git", f"--git-dir={ROOT / '.git'}", "rev-parse", "HEAD"]
    here = subprocess.run(command, env=GIT.environment(), capture_output=True, text=True, check=False)
    assert ran.documents["versions"]["revision"] == (here.stdout.strip() or None)


def test_what_acted_on_it_is_told(ran: Ran) -> None:
    settings = ran.documents["result"]["settings"]
    assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == NOBODY
    assert settings["OTEL_EXPORTER_OTLP_HEADERS"] == "***"
    assert "traced: the API and the projectors exported spans" in ran.page
    assert ran.documents["machine"]["cores"] <= ran.documents["machine"]["cores_installed"]
    assert "environment" not in ran.documents["postgres"]
    assert ran.documents["postgres"]["tls"] is False


def test_no_name_of_the_machine_is_in_the_bundle(ran: Ran) -> None:
    assert socket.gethostname() not in json.dumps(ran.documents["machine"])
