"""The result bundle `results/<run-id>/`: its folder, and the writing of its documents."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.ends.conclude import Defect
from bench.ends.errors import RunFailed, SetupError
from metrics.files import Reserve, write_whole
from metrics.reading import BadDocument, read_optional
from metrics.records.record import write_json

RESULTS: Final = "results"
LATEST: Final = "latest"
ROOM: Final = 512 * 1024
"""Bytes for the documents of the end. A report is larger, and can be made again from them."""


class Bundle:
    """One run's folder. What can not be written is noted in `missing`, by its name, with the reason; nothing raises."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.missing: dict[str, str] = {}
        self.log.mkdir(parents=True)
        # The load generator writes here too, and needs as much.
        Reserve(folder, 2 * ROOM).release()
        self._room = Reserve(folder, ROOM)

    @classmethod
    def create(cls, root: Path, scenario: str, mode: str) -> Bundle:
        """A new folder below `root`, named by the moment, scenario and mode. Raises SetupError."""
        folder = root / new_id(scenario, mode)
        try:
            return cls(folder)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise SetupError(
                "--results",
                f"{root} can not be written to ({error.strerror})",
                "make room, or name another folder",
            ) from None

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.folder.name

    def write(self, name: str, document: Any) -> None:
        """Write a JSON document."""
        with self.noting(name):
            write_json(self.folder / name, document)

    def keep(self, path: Path, text: str) -> None:
        """Write a text file of the bundle."""
        with self.noting(path.name):
            write_whole(path, text)

    @contextmanager
    def noting(self, name: str) -> Iterator[None]:
        """Make a file of the bundle, and note it as missing, with the reason, if the block fails."""
        try:
            yield
        except OSError as error:
            self.missing[name] = error.strerror or str(error)
        except (SetupError, RunFailed) as error:
            self.missing[name] = str(error)
        except Exception as error:
            self.missing[name] = str(Defect.of(error, self.log))

    def read(self, name: str) -> Any:
        """Read a JSON document, None if there is none. Raises RunFailed: a part of the run wrote it."""
        try:
            return read_optional(self.folder / name, dict[str, Any])
        except BadDocument as error:
            raise RunFailed(str(error)) from error

    def use_room(self) -> None:
        """Give back the room that was kept for the documents of the end."""
        self._room.release()

    def close(self) -> None:
        """Point `latest` to the bundle, and say in it what it lacks."""
        with self.noting(LATEST):
            point_latest(self.folder)
        if self.missing:
            self.write("missing.json", dict(self.missing))


def point_latest(folder: Path) -> None:
    """Point `latest` to a folder of results. Where links can not be made, a file names it. Raises OSError."""
    link = folder.parent / LATEST
    scratch = folder.parent / f".{LATEST}-{secrets.token_hex(4)}"
    try:
        scratch.symlink_to(folder.name, target_is_directory=True)
        scratch.replace(link)
    except OSError:
        scratch.unlink(missing_ok=True)
        write_whole(link.with_suffix(".txt"), folder.name + "\n")


def new_id(*words: str) -> str:
    """A name for a result: it sorts by time, tells what it is, and is never given twice."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return "-".join((moment, *words, secrets.token_hex(2)))
