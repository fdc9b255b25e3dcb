"""A program that is asked something: run to its end within a time, its answer kept, nothing of it left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

LOOK_S: Final = 0.1
MOST_BYTES: Final = 64 * 2**20


class NoAnswer(Exception):
    """The program could not be started, did not end in time, or said more than anybody reads; the text says which."""


def ask(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    within_s: float | None = 10.0,
    cwd: Path | None = None,
    user: int | None = None,
    group: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """The exit code and what was printed, invalid bytes replaced. Raises NoAnswer.

    Its whole process group is killed when this returns, and the answer is read from files: a child of the program that
    keeps its output open holds nothing up.
    """
    with TemporaryFile() as out, TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                user=user,
                group=group,
            )
        except OSError as error:
            raise NoAnswer(error.strerror or str(error)) from None
        try:
            _wait(process, out, None if within_s is None else time.monotonic() + within_s)
        except TimeoutError:
            raise NoAnswer(f"no answer within {within_s:g} s") from None
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return subprocess.CompletedProcess(command, process.returncode, _text(out), _text(err))


def _wait(process: subprocess.Popen[bytes], out: IO[bytes], deadline: float | None) -> None:
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(LOOK_S)
            return
        if os.fstat(out.fileno()).st_size > MOST_BYTES:
            raise NoAnswer(f"more than {MOST_BYTES >> 20} MiB of output")
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MOST_BYTES).decode("utf-8", "replace")
