"""Proof of a run that has ended, by the level that its target allows: what was found goes into `verification.json`.

store       our own tables are read, every event folded again, the audit walked
log         the log is read over HTTP, folded again and compared with the pages of the read model, and with what was
            acknowledged
read-back   the load generator read every acknowledged write again; of events nothing is seen
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from bench.bundle.folder import Bundle
from bench.ends.errors import RunFailed
from bench.oracle import database
from bench.oracle.log import acknowledged
from bench.oracle.log.verify import verify_log
from bench.oracle.verify import verify_all
from bench.platforms.platform import System
from bench.report.progress import Progress
from metrics.records.result import NOT_SEEN
from metrics.records.sections.target import UNSEEN, Proof
from metrics.records.verification import Verification


@dataclass(frozen=True)
class Ended:
    """A run whose load generator has ended. `complete` claims that nothing is left to project.

    `ahead_s` is by how much the database's clock is ahead of the load generator's, 0 where it has none that is asked.
    """

    system: System
    bundle: Bundle
    loadgen: Mapping[str, Any]
    complete: bool
    ahead_s: float


def prove(ended: Ended, progress: Progress) -> Verification:
    """Prove it, and leave `verification.json`. Raises RunFailed where what is to be read can not be."""
    level = level_of(ended.system)
    verification = LEVELS[level](ended, progress)
    ended.bundle.write("verification.json", verification.to_dict())
    return verification


def level_of(system: System) -> Proof:
    """The best level that the target declares, or was found to offer before the load; nothing is asked again."""
    return "store" if system.store_url is not None else system.settings.target.proof


def tells_applied(system: System) -> bool:
    """Whether rows tell how many events took effect in them."""
    return system.settings.target.offers("applied")


def _by_store(ended: Ended, progress: Progress) -> Verification:
    """Fold every event of our tables again."""

    def told(done: int, events: int) -> None:
        progress.step(f"folding every event again: {done:,} of {events:,}")

    system = ended.system
    progress.step("folding every event again")
    begun, over = (datetime.fromtimestamp(at + ended.ahead_s, UTC) for at in _load(ended.loadgen))
    try:
        verification, histogram = database.run(
            verify_all(
                system.store_urls,
                complete=ended.complete,
                serial=system.settings.mode == "serial",
                load=(begun, over),
                activity="activity" in system.settings.read_models,
                told=told,
            )
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise RunFailed(f"the oracle could not read the store: {error}") from error
    ended.bundle.keep(ended.bundle.folder / "projected.hdr", histogram.encode().decode("ascii") + "\n")
    return verification


def _by_log(ended: Ended, progress: Progress) -> Verification:
    """Fold the target's own log again; hold its pages, and what was acknowledged, against it."""
    progress.step("folding the log again")
    system = ended.system
    return verify_log(
        system.base_url,
        complete=ended.complete,
        applied=tells_applied(system),
        told=progress.step,
        acknowledged=acknowledged.read(ended.bundle.folder),
    )


def _by_read_back(ended: Ended, progress: Progress) -> Verification:
    """What the load generator has read again stands in its own counts; of events there is nothing to see."""
    progress.step("no log and no store of ours to read: acknowledged writes were read back, and that is all")
    return Verification(
        correctness=NOT_SEEN,
        unprojected=0 if ended.complete else None,
        level="read-back",
        not_seen=UNSEEN["read-back"],
    )


LEVELS: Final[Mapping[Proof, Callable[[Ended, Progress], Verification]]] = {
    "store": _by_store,
    "log": _by_log,
    "read-back": _by_read_back,
}


def _load(loadgen: Mapping[str, Any]) -> tuple[float, float]:
    """When the first load phase began and the last one ended, by this machine's clock; without any, now."""
    found = [phase for phase in loadgen["phases"] if phase["name"] == "load"]
    return (found[0]["started_at"], found[-1]["ended_at"] or time.time()) if found else (time.time(), time.time())
