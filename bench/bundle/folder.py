"""The result bundle `results/<run-id>/`: its folder, its documents, and the merging of them into `result.json`."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.ends.conclude import Defect
from bench.ends.errors import RunFailed, SetupError
from bench.trial import strategies
from bench.trial.settings import Settings
from metrics.files import Reserve, write_whole
from metrics.reading import BadDocument, read_optional
from metrics.records.record import write_json
from metrics.records.result import SCHEMA, Correctness, Result, Verdict, sections
from metrics.records.verification import Verification

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
            self._point_latest()
        if self.missing:
            self.write("missing.json", dict(self.missing))

    def _point_latest(self) -> None:
        """Where links can not be made, a file names the folder."""
        link = self.folder.parent / LATEST
        scratch = self.folder.parent / f".{LATEST}-{secrets.token_hex(4)}"
        try:
            scratch.symlink_to(self.run_id, target_is_directory=True)
            scratch.replace(link)
        except OSError:
            scratch.unlink(missing_ok=True)
            write_whole(link.with_suffix(".txt"), self.run_id + "\n")


def new_id(*words: str) -> str:
    """A name for a result: it sorts by time, tells what it is, and is never given twice."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return "-".join((moment, *words, secrets.token_hex(2)))


class Samples:
    """Follows `samples.jsonl` while it is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> list[dict[str, Any]]:
        """The complete lines since the last call."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                text = stream.read()
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._offset += len(complete)
        return [json.loads(line) for line in complete.splitlines()]


def void(run_id: str, settings: Settings, why: str, *, trial: int) -> Result:
    """The result of a run that ended before it could be judged. Its numbers are zeros and mean nothing."""
    nothing: dict[str, Any] = {name: section() for name, section in sections().items()}
    return Result(
        schema=SCHEMA,
        run_id=run_id,
        scenario=settings.scenario.name,
        mode=settings.mode,
        strategy=settings.strategy,
        verdict="invalid",
        why=why,
        settings=settings.recorded(),
        trial=trial,
        **nothing,
    )


def merge(
    run_id: str, settings: Settings, loadgen: Mapping[str, Any], verification: Verification, *, trial: int
) -> Result:
    """The result: what the load generator measured, judged by both oracles.

    Any fault, whatever the load generator said, makes the verdict `diverged`.
    """
    told: dict[str, Any] = {name: section.from_dict(loadgen[name]) for name, section in sections().items()}
    correctness = replace(
        verification.correctness,
        acknowledged_checked=told["correctness"].acknowledged_checked,
        acknowledged_missing=told["correctness"].acknowledged_missing,
    )
    verdict, why = judge(loadgen["verdict"], loadgen["why"], correctness, verification.offenders)
    if others := strategies.others(settings.strategy, loadgen["strategies"]):
        verdict, why = ("diverged" if verdict == "diverged" else "invalid"), "; ".join(filter(None, (others, why)))
    return replace(
        void(run_id, settings, why, trial=trial),
        verdict=verdict,
        **{**told, "correctness": correctness},
    )


def judge(verdict: Verdict, why: str, correctness: Correctness, offenders: list[str]) -> tuple[Verdict, str]:
    """The verdict and its reason after the oracles have spoken. Pure."""
    if correctness.faults:
        found = offenders[0] if offenders else f"{correctness.acknowledged_missing} acknowledged writes are missing"
        before = f"; the load generator said: {why}" if why and verdict != "converged" else ""
        return "diverged", f"{correctness.faults} fault(s): {found}{before}"
    if verdict == "converged" and correctness.events_checked == 0:
        return "invalid", "the store holds no event, so nothing was proved"
    return verdict, why
