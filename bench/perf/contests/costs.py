"""What each thing costs in a store as it stands: one short measurement of everything, lower is better."""

from __future__ import annotations

from time import perf_counter
from typing import Final

from bench.perf import histories
from bench.perf.contests.visible import DELAYS, wait_until_projected
from bench.perf.http_load import wrk
from bench.perf.lab import Lab
from bench.perf.row import Reading
from bench.platforms import http_client

PENDING: Final = 100
FIRST_PENDING: Final = 1_000_000_000
STATS: Final = 50
RATE: Final = 50

REMOVE_PENDING: Final = (
    f"DELETE FROM streams WHERE version = 1 AND projected = 0 AND stream >= 'todo-{FIRST_PENDING:032x}'"
)
UNCOUNT_PENDING: Final = f"UPDATE tallies SET events = events - {PENDING}, streams = streams - {PENDING} WHERE slot = 0"


def costs(lab: Lab, url: str, seconds: float) -> dict[str, float]:
    """Milliseconds of each operation by its name. The store is a little larger afterwards, and caught up."""
    return {**_claims(lab, url), **_appends(lab, url, seconds), **_system(lab, url, seconds)}


def _claims(lab: Lab, url: str) -> dict[str, float]:
    empty = lab.program("claims", url=url)["p50"]
    histories.pending_heads(lab, url, PENDING, first=FIRST_PENDING)
    full = lab.program("claims", url=url)["p50"]
    lab.sql(url, REMOVE_PENDING, UNCOUNT_PENDING)
    return {"empty claim": empty, "claim": full}


def _appends(lab: Lab, url: str, seconds: float) -> dict[str, float]:
    many = lab.program("append", f"--seconds={seconds}", url=url)
    hot = lab.program("append", "--writers=1", "--streams=1", f"--seconds={seconds}", url=url)
    started = perf_counter()
    lab.run("catch-up", ["-m", "services.projector", "--once"], url)
    projecting = (perf_counter() - started) / (many["events"] + hot["events"])
    return {
        "append": 1000 / many["events_per_s"],
        "append, one hot stream": 1000 / hot["events_per_s"],
        "project a backlog": projecting * 1000,
    }


def _system(lab: Lab, url: str, seconds: float) -> dict[str, float]:
    api, base = lab.api(url)
    projector = lab.projector(url)
    ids = lab.log / "ids.txt"
    active = lab.sql(url, "SELECT id FROM todos WHERE NOT deleted AND id LIKE 'todo-%' LIMIT 5000")
    ids.write_text("".join(f"{row['id']}\n" for row in active), encoding="utf-8")
    reads, actions = wrk.reads(base, seconds, ids), wrk.actions(base, seconds)
    wait_until_projected(base)
    after = lab.value(url, "SELECT max(position) FROM events")
    lab.program("arrivals", f"--rate={RATE}", f"--seconds={seconds}", url=url, BASE_URL=base)
    wait_until_projected(base)
    visible = lab.sql(url, DELAYS.format(after=after))[0][0]
    stats = _stats(base)
    lab.stop(projector)
    lab.stop(api)
    return {
        "read over HTTP": _each(reads),
        "action over HTTP, projected": _each(actions),
        "commit to visible": visible,
        "GET /stats": stats,
    }


def _each(reading: Reading) -> float:
    return 1000 / reading.value


def _stats(base: str) -> float:
    started = perf_counter()
    for _ in range(STATS):
        http_client.stats(base)
    return (perf_counter() - started) / STATS * 1000
