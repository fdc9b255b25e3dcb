"""A small file system for a throw-away server: a tmpfs that can be made as small as what it holds, and large again.

To mount one needs root. It takes memory for what lies on it, and no room of any other file system.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import RunFailed, SetupError
from bench.ends.guardian import Guardian
from settings.children import PROGRAM

ROOM: Final = 2 * 2**30
"""Bytes that it may hold, which are taken only by what is written."""
SLACK: Final = 64 * 1024
"""Bytes that are left where it is full: what it holds may grow while it is measured."""
ATTEMPTS: Final = 20
NAME: Final = "tidemark"


class SmallDisk:
    """Mounted at `place`."""

    def __init__(self, place: Path) -> None:
        self.place: Final = place

    @classmethod
    @contextmanager
    def mounted(cls, place: Path, own: Callable[[Path], None], guardian: Guardian) -> Iterator[Self]:
        """Mount one there until the end of the block, and not beyond the end of this process; `own` gives it to whoever
        writes there. Raises SetupError where that is not allowed.
        """
        place.mkdir(mode=0o700)
        # Lazily: whoever still has files there keeps them, and the folder can be removed. Before there is anything to
        # be undone, so that it is whenever the bench dies.
        unmount = ["umount", "--lazy", str(place)]
        guardian.run(unmount, PROGRAM.environment())
        if why := _refused(["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=0700", NAME, str(place)]):
            guardian.spare(unmount)
            place.rmdir()
            raise SetupError("mount", f"a small file system can not be had ({why})", "run the bench as root")
        try:
            own(place)
            yield cls(place)
        finally:
            _refused(unmount)
            guardian.spare(unmount)

    def shrink(self) -> None:
        """Make it as small as what it holds. Raises RunFailed."""
        why = ""
        for _ in range(ATTEMPTS):
            held = os.statvfs(self.place)
            if not (why := self._resized((held.f_blocks - held.f_bfree) * held.f_frsize + SLACK)):
                return
        raise RunFailed(f"the small file system could not be made smaller: {why}")

    def grow(self) -> None:
        """Make it as large as it was. Raises RunFailed."""
        if why := self._resized(ROOM):
            raise RunFailed(f"the small file system could not be made larger: {why}")

    def _resized(self, size: int) -> str:
        return _refused(["mount", "-o", f"remount,size={size}", str(self.place)])


def _refused(command: list[str]) -> str:
    """Why a command failed, empty where it did not."""
    try:
        done = ask(command, PROGRAM.environment())
    except NoAnswer as silence:
        return str(silence)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
