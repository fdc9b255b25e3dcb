"""End of the convergence by the last commit: a projector knows it, and the database has no clock that tells it.

The load generator sees when the last effect was *written*, in a transaction that commits some milliseconds later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bench.trial.waterfall.clock import Offset
from bench.trial.waterfall.measure import FLOOR_S, moments_of
from bench.trial.waterfall.stages import BEGUN, COMMITTED, moment
from metrics.raw.moments import Row
from metrics.reading import BadDocument
from metrics.records.sections.convergence import Convergence


def until_commit(convergence: Convergence, last_effect_at: float | None, clock: Offset, log: Path) -> Convergence:
    """The same convergence, up to the answer of the last batch's commit; as it was where no projector tells of it.

    `last_effect_at` is of the database's clock. A batch counts that had begun by then, for it may have been overtaken.
    """
    if last_effect_at is None or not convergence.events or not convergence.time_s:
        return convergence
    try:
        rows = [row for told in moments_of(log).values() for row in told]
    except BadDocument:
        return convergence
    within_s = clock.within_s + FLOOR_S
    later_s = _after(last_effect_at - clock.ahead_s, rows, within_s)
    if later_s is None:
        return convergence
    time_s = convergence.time_s + later_s
    speed = convergence.speed_events_per_s
    return replace(
        convergence,
        time_s=time_s,
        speed_events_per_s=None if speed is None else convergence.events / time_s,
        resolution_s=(convergence.resolution_s or 0.0) + within_s,
        until="commit",
    )


def _after(effect_at: float, rows: Iterable[Row], within_s: float) -> float | None:
    """How long after that effect the last batch was committed that had begun by then; None where none fits."""
    ends = [moment(row, COMMITTED) for row in rows if moment(row, BEGUN) <= effect_at + within_s]
    last = max(ends, default=None)
    return None if last is None or last < effect_at - within_s else max(last - effect_at, 0.0)
