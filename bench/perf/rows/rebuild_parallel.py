"""A rebuild by stream-locks, as a job does it that is told nothing else."""

from __future__ import annotations

from typing import Final

from bench.perf.contests import rebuild
from bench.perf.references import act
from bench.perf.row import Row, Target

ROW: Final = Row(
    name="rebuild_parallel",
    title="Rebuild of 1 M events over 100,000 streams by stream-locks, one projector",
    unit="events/s",
    better="higher",
    ours="`reset --all`, then `--once` by stream-locks, with locks, fence, guard, audit and checkpoints",
    reference="one SQL statement that folds the whole history into the same rows, audit and checkpoints",
    peer="eventsourcing",
    remembered={"act": act.REBUILD},
    targets=(
        Target("at least", 0.6, "reference"),
        Target("at least", 3, "act"),
        Target("at least", 3, "eventsourcing"),
        rebuild.MEMORY,
    ),
    server="Postgres",
    client="one projector, `--once`",
    strategy="stream-locks",
    open=rebuild.contest(serial=False),
)
