"""A rebuild with a single lease along the global order."""

from __future__ import annotations

from typing import Final

from bench.perf.contests import rebuild
from bench.perf.references import act
from bench.perf.row import Row, Target

ROW: Final = Row(
    name="rebuild_serial",
    title="Rebuild of 1 M events over 100,000 streams by global-order",
    unit="events/s",
    better="higher",
    ours="`reset --all`, then `--once` by global-order, with lease, fence, guard, audit and checkpoints",
    reference="one SQL statement that folds the whole history into the same rows, audit and checkpoints",
    peer="act",
    remembered={"act": act.REBUILD},
    targets=(Target("at least", 0.4, "reference"), rebuild.MEMORY),
    server="Postgres",
    client="one projector, `--once`",
    strategy="global-order",
    open=rebuild.contest(serial=True),
)
