"""A sign that can not be written costs the sign, not the work: of every command, whatever its output is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ROOT

PRINTS = (
    "from settings.command_line import terminal; terminal.forgive(); "
    "import sys; print('a\\u2013b', '\\udcff'); print('\\u2013', file=sys.stderr)"
)
COMMANDS = [
    ("bench", "--help"),
    ("bench.perf", "--list"),
    ("bench.platforms.compose", "--help"),
    ("bench.platforms.kubernetes", "--help"),
    ("services.projector", "--help"),
    ("migrations", "--help"),
]


def run(*arguments: str, stdout: int, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"PYTHONIOENCODING": "ascii"}, b"a?b ?\n"),
        ({"PYTHONIOENCODING": "latin-1"}, b"a?b ?\n"),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}, b"a?b ?\n"),
        ({"PYTHONUTF8": "1", "PYTHONIOENCODING": ""}, "a–b ?\n".encode()),
    ],
)
def test_what_an_encoding_does_not_have_is_a_question_mark(variables: dict[str, str], expected: bytes) -> None:
    done = run("-c", PRINTS, stdout=subprocess.PIPE, **variables)
    assert (done.returncode, done.stdout) == (0, expected)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_a_command_does_its_work_on_a_full_disk_in_ascii(command: tuple[str, str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run("-m", *command, stdout=full.fileno(), PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_reader_that_is_gone_costs_what_it_would_have_read() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("-c", f"{PRINTS}; print('x' * 100_000)", stdout=writing)
    os.close(writing)
    assert done.returncode == 0


def test_a_pipe_that_somebody_made_non_blocking_loses_nothing() -> None:
    code = f"import os; os.set_blocking(1, False); {PRINTS}; print('x' * 1_000_000)"
    assert len(run("-c", code, stdout=subprocess.PIPE).stdout) > 1_000_000


def test_a_standard_output_that_is_closed_is_not_given_to_the_next_file(tmp_path: Path) -> None:
    opens = f"file = open({str(tmp_path / 'x')!r}, 'w')"
    code = f"{PRINTS}; {opens}; print('printed', flush=True); print(file.fileno(), file=sys.stderr)"
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 0
    assert int(done.stderr.splitlines()[-1]) > 2
    assert (tmp_path / "x").read_text() == ""
