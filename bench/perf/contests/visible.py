"""From the commit of a write to the moment from which its effect can be read; shared by three rows.

Both moments are commits, told by Postgres's commit timestamps: one clock, every event, and no reader that would slow
what it watches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading
from bench.platforms import http_client

SETTINGS: Final = {"track_commit_timestamp": "on"}
LONGEST_S: Final = 30.0
RATE_MISSED: Final = 0.95

DELAYS: Final = """
WITH delays AS (
  SELECT extract(epoch FROM pg_xact_commit_timestamp(a.xmin) - pg_xact_commit_timestamp(e.xmin))::float8 * 1000 AS ms
    FROM projection_audit a
    JOIN events e ON e.stream = a.stream AND e.version BETWEEN a.from_version AND a.to_version
   WHERE e.position > {after}
)
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY ms), percentile_disc(0.99) WITHIN GROUP (ORDER BY ms), max(ms)
  FROM delays
"""


def contest(*, rate: float, seconds: float, value: str) -> Callable[[Lab], AbstractContextManager[Contest]]:
    """`value` is the percentile that is the row's figure. Each of our readings has a fresh system."""

    @contextmanager
    def opened(lab: Lab) -> Iterator[Contest]:
        with lab.database() as quiet:

            def ours() -> Reading:
                with lab.database() as url:
                    return delays(lab, url, rate, lab.seconds(seconds), value)

            def reference() -> Reading:
                found = lab.program("listen", f"--rounds={200 if not lab.quick else 20}", url=quiet)
                return Reading(found[value], {name: found[name] for name in ("p50", "p99")})

            yield Contest(ours, reference)

    return opened


def delays(lab: Lab, url: str, rate: float, seconds: float, value: str, **variables: str) -> Reading:
    """One reading: `rate` writes a second for so long; the projector is told `variables`. Raises RunFailed."""
    api, base = lab.api(url)
    projector = lab.projector(url, **variables)
    lab.program("arrivals", f"--rate={rate}", "--seconds=1", url=url, BASE_URL=base)
    wait_until_projected(base)
    lab.settle(url)
    after = lab.value(url, "SELECT coalesce(max(position), 0) FROM events")
    sent = lab.program("arrivals", f"--rate={rate}", f"--seconds={seconds}", url=url, BASE_URL=base)
    wait_until_projected(base)
    lab.stop(projector)
    lab.stop(api)
    if sent["refused"] or sent["per_s"] < rate * RATE_MISSED:
        raise RunFailed(f"{sent['per_s']:.0f} writes/s instead of {rate:g}, {sent['refused']:g} of them refused")
    p50, p99, longest = lab.sql(url, DELAYS.format(after=after))[0]
    figures = {"p50": p50, "p99": p99, "max": longest, "write_p50": sent["p50"], "write_p99": sent["p99"]}
    return Reading(figures[value], figures)


def wait_until_projected(base: str) -> None:
    """Return when the backlog is 0. Raises RunFailed."""
    deadline = time.monotonic() + LONGEST_S
    while (stats := http_client.stats(base)) is None or stats["backlog"]:
        if time.monotonic() > deadline:
            raise RunFailed(f"the backlog was not 0 after {LONGEST_S:g} s")
        time.sleep(0.02)
