"""What a request costs the load generator, beside Locust's own client with the same requests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from bench import ROOT
from bench.ends.errors import RunFailed
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target
from metrics.reading import read
from metrics.records.loadgen import Loadgen
from settings.children import LOCUST_FOLDER
from settings.environment import spelled_seconds

PLAIN_USERS: Final = ROOT / "bench" / "perf" / "programs" / "plain_users.py"
SECONDS: Final = 6
WARMUP_S: Final = 2
USERS: Final = 64
WRITERS: Final = 0.5
REFUSED_MOST: Final = 0.01


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """Each reading has a fresh system: database, API, and a projector that keeps up."""
    seconds = lab.seconds(SECONDS)

    def beside_system(measure: Callable[[str, str], Reading]) -> Reading:
        with lab.database() as url:
            api, base = lab.api(url)
            projector = lab.projector(url)
            reading = measure(url, base)
            lab.stop(projector)
            lab.stop(api)
        return reading

    def ours(url: str, base: str) -> Reading:
        told = {"VUS": str(USERS), "WRITE_RATIO": str(WRITERS), "THINK_TIME_MS": "0", "HOLD": "0s"}
        times = {"WARMUP": spelled_seconds(WARMUP_S), "DURATION": spelled_seconds(seconds)}
        lab.run("loadgen", ["-m", "services.loadgen"], url, BASE_URL=base, RESULTS_DIR=str(lab.log), **told, **times)
        return _reading(lab)

    def reference(_: str, base: str) -> Reading:
        command = [sys.executable, "-P", "-m", "locust", "-f", str(PLAIN_USERS), "--headless", "--host", base]
        command += ["--users", str(USERS), "--spawn-rate", str(USERS), "--stop-timeout", "5", "--skip-log-setup"]
        told = {"VUS": USERS, "WRITE_RATIO": WRITERS, "WARMUP_S": WARMUP_S, "DURATION_S": seconds}
        found = lab.command(command, {name: str(value) for name, value in told.items()}, cwd=LOCUST_FOLDER)
        # A todo that one user deletes while another updates it: Locust counts such a refusal as a failure.
        if found["failed"] > found["requests"] * REFUSED_MOST:
            raise RunFailed(f"{found['failed']:g} of {found['requests']:g} requests of the plain users failed")
        return Reading(found["cpu_us"], {"requests_per_s": found["per_s"]})

    yield Contest(lambda: beside_system(ours), lambda: beside_system(reference))


def _reading(lab: Lab) -> Reading:
    document = cast(dict[str, Any], read(lab.log / "loadgen.json", Loadgen))
    generator, throughput = document["generator"], document["throughput"]
    figures = {"requests_per_s": throughput["actions_per_s"] + throughput["reads_per_s"]}
    return Reading(generator["cpu_us_per_request"], {**figures, "cpu_percent": generator["cpu_percent"]})


ROW: Final = Row(
    name="generator",
    title="Processor time of the load generator for a request, its ledger, histograms and samples included",
    unit="µs",
    better="lower",
    ours=f"{USERS} users without a pause, the scenario `throughput`, every acknowledged write read back in the end",
    reference="as many plain `FastHttpUser`s of Locust with the same requests at the same system, which keep only ids",
    targets=(Target("at most", 0.4, "reference"),),
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="the load generator, closed loop",
    strategy="stream-leases",
    open=contest,
)
