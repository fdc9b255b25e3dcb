"""What can not begin ends at once: exit code 2, one line that names the setting, and nothing left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.platforms.postgres import binaries
from tests.acceptance.bench_process import BENCH, KEPT, PATIENCE_S, ROOT, How, bench, started


@pytest.fixture(scope="module")
def taken() -> Iterator[str]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VUS", "-1"),
        ("DURATION", "abc"),
        ("WRITE_RATIO", "2"),
        ("LEASE_SECONDS", "soon"),
        ("DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/nowhere"),
        ("API_PORT", "{taken}"),
    ],
)
async def test_a_bad_setting_ends_at_once_with_one_line_that_names_it(name: str, value: str, taken: str) -> None:
    value = value.format(taken=taken)
    async with bench("run", "throughput", **{name: value}) as ran:
        await ran.ended()
        assert ran.code == 2, ran.said
        (line,) = [line for line in ran.said.splitlines() if not line.startswith("·")]
        assert line.startswith((f"{name}=", f"{name}: "))
        assert "secret" not in ran.said
        assert "starting Postgres" not in ran.said
        assert await ran.nothing_left()
        assert not ran.results.exists() or list(ran.results.iterdir()) == []


async def test_users_for_whom_there_are_too_few_open_files_are_refused_before_the_start() -> None:
    few = ("sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *BENCH)
    async with started(How(few), "run", VUS="300") as ran:
        await ran.ended()
        assert ran.code == 2, ran.said
        assert "VUS: 300 users need about 420 open files" in ran.said
        assert "`ulimit -n` allows 256" in ran.said
        assert "or set VUS to 136 or less" in ran.said
        assert await ran.nothing_left()


async def test_no_number_of_users_is_recommended_where_none_would_fit() -> None:
    fewer = ("sh", "-c", 'ulimit -n 100; exec "$@"', "sh", *BENCH)
    async with started(How(fewer), "run", VUS="1") as ran:
        await ran.ended()
        assert ran.code == 2, ran.said
        assert ran.said.rstrip().endswith("raise that limit (ulimit -n 121)")


async def test_results_that_can_not_be_written_are_refused_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with started(How(results=tmp_path / "file"), "run") as ran:
        await ran.ended()
        assert ran.code == 2, ran.said
        assert "--results: " in ran.said
        assert "starting Postgres" not in ran.said


def test_the_task_runner_passes_the_exit_code_and_the_one_line_on() -> None:
    scripts = Path(sys.executable).parent
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [scripts / "task", "-x", "bench:parallel"],
        cwd=ROOT,
        env={**kept, "PATH": path, "COMPOSE_PROJECT_NAME": "none-of-ours", "VUS": "-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ran.returncode == 2, ran.stderr
    (line,) = [line for line in ran.stderr.splitlines() if not line.startswith("task: ")]
    assert line.startswith("VUS='-1' is not usable: ")
    assert "starting Postgres" not in ran.stdout


@pytest.mark.parametrize("arguments", [("run",), ("compare",), ("dev",), ("ui",)])
def test_without_postgres_binaries_it_says_what_to_do(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(binaries, "_candidates", lambda: iter(()))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    results = ("--results", str(tmp_path)) if arguments[0] in ("run", "compare") else ()
    monkeypatch.setattr(sys, "argv", ["bench", *arguments, *results])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command.main() == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("DATABASE_URL: not set, and no Postgres binaries are on this machine; install")
    assert list(tmp_path.iterdir()) == []
