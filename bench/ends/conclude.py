"""Run a command and turn its end into an exit code: what the shell, Task and CI are told.

0 sound; 1 another verdict, or a part that failed; 2 a setting or the machine does not allow it, in one line; 70 a
defect of this program, in one line that names the file with its traceback; 128 + n ended by signal n (130, 143, 129).
"""

from __future__ import annotations

import errno
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.ends import launcher, signals
from bench.ends.errors import RunFailed, SetupError
from bench.ends.signals import Interrupted
from settings import SettingError
from settings.command_line import terminal

SOUND: Final = 0
FAILED: Final = 1
REFUSED: Final = 2
DEFECT: Final = 70
UNWRITABLE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class Defect(Exception):
    """Something that should not happen; the message is one line that names the file with the traceback.

    `told` once a person has seen it.
    """

    told = False

    @classmethod
    def of(cls, error: BaseException, folder: Path) -> Defect:
        """Write the error's traceback to the folder, or to a temporary file where that can not be."""
        text = "".join(traceback.format_exception(error))
        line = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        return cls(f"defect: {line}; the traceback is in {_keep(text, folder)}")


def conclude(command: Callable[[], int], *refusals: type[Exception]) -> int:
    """The exit code of the command. `refusals` are told like SetupError."""
    terminal.forgive()
    with signals.caught(), launcher.watched():
        try:
            return _told(command, (SettingError, SetupError, *refusals))
        except Interrupted as end:
            return signals.take(end).code
        except KeyboardInterrupt:
            return Interrupted(signal.SIGINT).code


def _told(command: Callable[[], int], refusals: tuple[type[Exception], ...]) -> int:
    try:
        return command()
    except refusals as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    except RunFailed as failure:
        print(f"{failure}\n{failure.tail}".strip(), file=sys.stderr)
        return FAILED
    except Defect as defect:
        if not defect.told:
            print(defect, file=sys.stderr)
        return DEFECT
    except Exception as error:
        return _unforeseen(error)


def _unforeseen(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        print(f"{error.filename or 'a file'} can not be written: {error.strerror}; make room", file=sys.stderr)
        return FAILED
    print(Defect.of(error, Path(tempfile.gettempdir())), file=sys.stderr)
    return DEFECT


def _keep(text: str, folder: Path) -> Path | str:
    for place in (folder, Path(tempfile.gettempdir())):
        try:
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=place, prefix="defect-", suffix=".txt", delete=False
            ) as file:
                file.write(text)
            return Path(file.name)
        except OSError:
            continue
    return f"no file, for none could be written: {text!r}"
