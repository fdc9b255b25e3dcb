"""A rebuild of the projection from the first event, in either mode; shared by two rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf import histories
from bench.perf.lab import Lab
from bench.perf.references import peers
from bench.perf.row import Contest, Reading, Target

STREAMS: Final = 100_000
EACH: Final = 10

# From the projector's start (it is registered before its first claim) to the commit of its last batch, one clock.
TOOK: Final = """
SELECT extract(epoch FROM (SELECT max(projected_at) FROM projection_audit) - started_at)::float8
  FROM projectors ORDER BY started_at DESC LIMIT 1
"""
MEMORY: Final = Target("at most", 200, figure="projector MB", unit="MB")
"""Of the projector, however much is left to project."""

LEFT: Final = (
    "SELECT (SELECT sum(version - projected) FROM streams) + (SELECT count(*) FROM streams) - count(*) FROM todos"
)

# The same state at the end, by one statement that fears nobody: no lease, no fence, no guard, no counters.
FOLD: Final = """
WITH folded AS MATERIALIZED (
  SELECT stream, max(version) AS version, max(position) AS position, min(recorded_at) AS created_at,
         (array_agg(data ->> 'text' ORDER BY version DESC) FILTER (WHERE type <> 'TodoDeleted'))[1] AS text,
         max(recorded_at) AS updated_at, bool_or(type = 'TodoDeleted') AS deleted, count(*) AS applied
    FROM events GROUP BY stream
),
rows AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
  SELECT stream, text, created_at, updated_at, version, deleted, applied FROM folded
),
audited AS (
  INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
  SELECT stream, 1, version, position, 'fold', 1, clock_timestamp() FROM folded
)
UPDATE streams s SET projected = folded.version, pending_since = NULL FROM folded WHERE s.stream = folded.stream
"""

# Only the rows: neither audit nor checkpoints, so it could not go on from there. Told beside the reference.
PLAIN_FOLD: Final = """
INSERT INTO plain_todos (id, text, created_at, updated_at, version, deleted, applied)
SELECT stream,
       (array_agg(data ->> 'text' ORDER BY version DESC) FILTER (WHERE type <> 'TodoDeleted'))[1],
       min(recorded_at), max(recorded_at), max(version), bool_or(type = 'TodoDeleted'), count(*)
  FROM events GROUP BY stream
"""


def contest(*, serial: bool) -> Callable[[Lab], AbstractContextManager[Contest]]:
    """The sides of the row: our rebuild, the one statement, and the peers' rebuilds of a smaller history."""
    variables = {"SERIAL_PROJECTION": str(serial).lower()}

    @contextmanager
    def opened(lab: Lab) -> Iterator[Contest]:
        with lab.database() as url:
            events = histories.backlog(lab, url, streams=lab.size(STREAMS), each=EACH)

            def ours() -> Reading:
                return rebuilt(lab, url, events, **variables)

            def reference() -> Reading:
                lab.sql(url, "DROP TABLE IF EXISTS plain_todos", "CREATE TABLE plain_todos (LIKE todos INCLUDING ALL)")
                lab.settle(url)
                plain = _seconds(lab, url, PLAIN_FOLD)
                lab.run("reset", ["-m", "services.projector", "reset", "--all"], url, **variables)
                lab.settle(url)
                return Reading(events / _seconds(lab, url, FOLD), {"plain_fold": events / plain})

            yield Contest(ours, reference, {} if serial else peers.rebuilds(lab))

    return opened


def rebuilt(lab: Lab, url: str, events: int, **variables: str) -> Reading:
    """One reading: everything is taken back, and projected again by a job with these variables. Raises RunFailed."""
    lab.run("reset", ["-m", "services.projector", "reset", "--all"], url, **variables)
    lab.settle(url)
    most = lab.peak("rebuild", ["-m", "services.projector", "--once"], url, **variables)
    if lab.value(url, LEFT) != 0:
        raise RunFailed("the rebuild left events out")
    return Reading(events / lab.value(url, TOOK), {"projector MB": most})


def _seconds(lab: Lab, url: str, statement: str) -> float:
    started = perf_counter()
    lab.sql(url, "SET jit = off", statement)
    return perf_counter() - started
