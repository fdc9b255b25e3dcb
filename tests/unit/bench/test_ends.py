"""How a command ends: which exit code, what is said, and that nothing of a session outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from bench.ends import sessions, signals
from bench.ends.conclude import DEFECT, FAILED, REFUSED, SOUND, Defect, conclude
from bench.ends.errors import RunFailed, SetupError
from bench.ends.launcher import pending
from bench.ends.signals import Interrupted
from settings import SettingError, patience

# It ignores all that can be ignored; its child, in a group of its own, leaves a file when it is told to end.
CHILD = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path(sys.argv[1]).touch()
    sys.exit()
signal.signal(15, end)
print("ready", flush=True)
time.sleep(600)
"""
DEAF = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, *sys.argv[1:]], process_group=0, stdout=subprocess.PIPE)
child.stdout.readline()
for number in (1, 2, 15):
    signal.signal(number, signal.SIG_IGN)
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """The leader of a session and its child."""
    leader = subprocess.Popen(
        [sys.executable, "-c", DEAF, "-c", CHILD, str(tmp_path / "heard")],
        start_new_session=True,
        stdout=subprocess.PIPE,
        encoding="ascii",
    )
    assert leader.stdout is not None
    child = psutil.Process(int(leader.stdout.readline()))
    yield leader, child
    leader.kill()
    leader.wait()
    with suppress(psutil.Error):
        child.kill()


def gone(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SettingError("VUS", "-1", "a number"), REFUSED, "VUS='-1' is not usable: expected a number"),
        (SetupError("docker", "is away", "start it"), REFUSED, "docker: is away; start it"),
        (RunFailed("api ended", "its last line"), FAILED, "api ended\nits last line"),
        (
            OSError(28, "No space left on device", "x.json"),
            FAILED,
            "x.json can not be written: No space left on device; make room",
        ),
        (KeyboardInterrupt(), 130, ""),
        (Interrupted(signal.SIGHUP), 129, ""),
        (Interrupted(signal.SIGTERM), 143, ""),
    ],
)
def test_each_end_has_its_exit_code_and_its_words(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conclude(raising(error)) == code
    assert capsys.readouterr().err.strip() == said


@pytest.mark.parametrize("error", [KeyError("x"), OSError(9, "Bad file descriptor"), TimeoutError()])
def test_a_defect_is_one_line_that_names_the_file_with_its_traceback(
    error: Exception, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert conclude(raising(error)) == DEFECT
    (line,) = capsys.readouterr().err.strip().splitlines()
    (file,) = tmp_path.iterdir()
    assert line.startswith(f"defect: {type(error).__name__}")
    assert line.endswith(str(file))
    assert "Traceback" in file.read_text()


def test_a_defect_is_told_where_no_folder_takes_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    assert "KeyError" in str(Defect.of(KeyError("x"), tmp_path / "nowhere"))


@pytest.mark.parametrize("sign", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_raises_once_and_a_second_one_changes_nothing(sign: str) -> None:
    heard: list[str] = []

    def command() -> int:
        try:
            os.kill(os.getpid(), signal.Signals[sign])
            time.sleep(60)
        except Interrupted as end:
            heard.append(end.signal.name)
            for number in signals.ENDING:
                os.kill(os.getpid(), number)
            heard.append("cleaned up")
            raise
        return SOUND

    assert conclude(command) == 128 + signal.Signals[sign]
    assert heard == [sign, "cleaned up"]


def test_a_signal_waits_while_something_is_being_started() -> None:
    done: list[str] = []

    def command() -> int:
        with signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("started")
        done.append("kept")
        signals.check()
        return SOUND

    assert conclude(command) == 143
    assert done == ["started", "kept"]


def test_a_signal_that_nobody_took_is_raised_by_no_later_look() -> None:
    def command() -> int:
        with signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
        return SOUND

    assert conclude(command) == SOUND
    signals.check()


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in signals.ENDING]
    assert conclude(lambda: SOUND) == SOUND
    assert [signal.getsignal(number) for number in signals.ENDING] == before


def test_a_whole_session_is_killed_where_it_does_not_react(
    deaf: tuple[subprocess.Popen[str], psutil.Process],
) -> None:
    leader, child = deaf
    child.suspend()
    sessions.end({leader.pid: signal.SIGTERM}, 0.2)
    assert gone(child)
    assert leader.wait(10) == -signal.SIGKILL


def test_who_is_left_of_a_session_is_found_without_its_leader(
    deaf: tuple[subprocess.Popen[str], psutil.Process], tmp_path: Path
) -> None:
    leader, child = deaf
    leader.kill()
    leader.wait()
    child.suspend()
    assert sessions.members([leader.pid]) == [child]
    # It was stopped: it has to be woken to hear that it is to end.
    sessions.end({leader.pid: signal.SIGTERM}, 5)
    assert gone(child)
    assert (tmp_path / "heard").exists()


def test_who_works_in_a_folder_is_found(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as process:
        assert [found.pid for found in sessions.working_in([tmp_path])] == [process.pid]
        assert sessions.working_in([tmp_path / "other"]) == []
        process.kill()


def test_outer_bounds_are_longer_than_the_inner_ones_and_all_fit_into_half_a_minute() -> None:
    assert patience.LOADGEN_S > patience.LAST_WORD_S + patience.REPORT_S + patience.CHILD_S
    assert min(patience.LOADGEN_S, patience.SERVICE_S) <= patience.PROCESSES_S
    assert patience.SERVICE_S > patience.REQUEST_S
    assert patience.RUN_S > patience.PROCESSES_S + patience.POSTGRES_S
    assert patience.RUN_S <= 30


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n", set()),
        ("SigPnd:\t0000000000000000\nShdPnd:\t0000000000004000\nSigBlk:\t0000000000000001\n", {15}),
        ("SigPnd:\t0000000000000001\nShdPnd:\t0000000000000002\n", {1, 2}),
    ],
)
def test_the_signals_that_wait_for_a_process_are_read(status: str, expected: set[int]) -> None:
    assert pending(status) == expected


class Signalled:
    """A signal comes while it is finalized, where Python only prints what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_comes_within_a_finalizer_raises_a_moment_later_and_is_not_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook = sys.unraisablehook
    found = [Signalled()]

    def command() -> int:
        found.clear()
        time.sleep(10)
        return SOUND

    assert conclude(command) == 143
    assert capfd.readouterr().err == ""
    assert sys.unraisablehook is hook


def test_anything_else_that_a_finalizer_raises_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: told.append(found.exc_type))
    with signals.caught():
        sys.unraisablehook(SimpleNamespace(exc_type=KeyError, exc_value=KeyError("planted")))
    assert told == [KeyError]
