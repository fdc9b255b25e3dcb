"""Second oracle over the store of a run that has ended: what it found goes into the bundle."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import asyncpg

from bench.bundle.folder import Bundle
from bench.ends.errors import RunFailed
from bench.oracle import database
from bench.oracle.verify import verify
from bench.platforms.platform import System
from bench.report.progress import Progress
from metrics.records.verification import Verification


def prove(
    system: System, bundle: Bundle, loadgen: dict[str, Any], progress: Progress, *, complete: bool, ahead_s: float
) -> Verification:
    """Fold every event again. `complete` claims that nothing is left to project. Raises RunFailed.

    `ahead_s` is by how much the database's clock is ahead of the load generator's.
    """

    def told(done: int, events: int) -> None:
        progress.step(f"folding every event again: {done:,} of {events:,}")

    begun, ended = (datetime.fromtimestamp(at + ahead_s, UTC) for at in _load(loadgen))
    try:
        verification, histogram = database.run(
            verify(
                system.database_url,
                complete=complete,
                serial=system.settings.mode == "serial",
                load=(begun, ended),
                activity="activity" in system.settings.read_models,
                told=told,
            )
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise RunFailed(f"the oracle could not read the store: {error}") from error
    bundle.keep(bundle.folder / "projected.hdr", histogram.encode().decode("ascii") + "\n")
    bundle.write("verification.json", verification.to_dict())
    return verification


def _load(loadgen: dict[str, Any]) -> tuple[float, float]:
    """When the first load phase began and the last one ended, by this machine's clock; without any, now."""
    found = [phase for phase in loadgen["phases"] if phase["name"] == "load"]
    return (found[0]["started_at"], found[-1]["ended_at"] or time.time()) if found else (time.time(), time.time())
