"""A program that is asked something: its answer, or why there is none, and nothing of it left."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from bench.ends import bounded
from bench.ends.bounded import NoAnswer, ask
from settings.children import PROGRAM

PATIENCE_S = 20.0


def shell(script: str, *, within_s: float | None = PATIENCE_S) -> tuple[int, str, str]:
    done = ask(["sh", "-c", script], PROGRAM.environment(), within_s=within_s)
    return done.returncode, done.stdout, done.stderr


def test_an_answer() -> None:
    assert shell("echo said; echo complained >&2; exit 3") == (3, "said\n", "complained\n")
    assert shell("echo said", within_s=None) == (0, "said\n", "")


def test_bytes_that_are_no_text_cost_themselves_alone() -> None:
    assert shell(r"printf 'a\377b'")[1] == "a\N{REPLACEMENT CHARACTER}b"


def test_a_child_that_keeps_the_output_open_holds_nothing_up_and_is_gone(tmp_path: Path) -> None:
    code, said, _ = shell(f"sleep 600 & echo $! > {tmp_path}/pid; echo said")
    assert (code, said) == (0, "said\n")
    assert gone(int((tmp_path / "pid").read_text()))


def test_silence_ends_by_itself_with_all_that_was_started(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match=r"^no answer within 0\.5 s$"):
        shell(f"sleep 600 & echo $! > {tmp_path}/pid; trap '' TERM; wait", within_s=0.5)
    assert gone(int((tmp_path / "pid").read_text()))


def test_more_than_anybody_reads_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_BYTES", 2**20)
    with pytest.raises(NoAnswer, match="more than 1 MiB of output"):
        shell("yes")


def test_what_can_not_be_started_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    for name in ("plain", "missing"):
        with pytest.raises(NoAnswer):
            ask([str(tmp_path / name)], PROGRAM.environment())
    (tmp_path / "plain").chmod(0o755)
    with pytest.raises(NoAnswer, match="Exec format error"):
        ask([str(tmp_path / "plain")], PROGRAM.environment())


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        os.sched_yield()
    return False
