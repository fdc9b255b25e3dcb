"""Remembered figures of @rotorsoft/act 1.31 with act-pg 1.19, a store that the npm registry does not have.

Measured in an earlier sitting, in November 2026, on a machine of this kind. Where it could be, a figure is kept as a
share of the reference that was measured beside it, since a share moves less from hour to hour than a figure. Over
SQLite act is measured beside ours in each run, as the peer `act-sqlite` (`targets/act`).
"""

from __future__ import annotations

from typing import Final

from bench.perf.row import Remembered

APPEND: Final = Remembered(ratio_to_reference=0.10)
"""1,180 commits/s in process over 1,000 streams, of 11,500 by pgbench."""

HOT: Final = Remembered(value=516)
"""Commits/s to one hot stream."""

HTTP: Final = Remembered(value=800)
"""Actions/s of its Todo server with the sleeps in its handlers removed and batched upserts, 50 closed-loop writers."""

REBUILD: Final = Remembered(ratio_to_reference=0.2)
"""36,000–47,000 events/s of 1 M events into a table, of 275,000 by one statement."""

CLAIM: Final = Remembered(value=2.2)
"""Milliseconds for 10 leases a claim, flat from 1,000 to 100,000 streams."""

VISIBLE_IDLE: Final = Remembered(value=8.5, figures={"p99": 24.0})
"""Milliseconds, idle and at 100 events/s: p50, and the better end of p99."""

VISIBLE_BUSY: Final = Remembered(value=500, figures={"p50": 143.0, "p99": 500.0})
"""Milliseconds at 1,000 events/s, p99 and p50: the better ends of 500–2,800 and of 143–919."""
