"""The load: what is asked of the system, how long, and by how many processes."""

from __future__ import annotations

from typing import Final

from settings.catalogue.capabilities import CAPABILITIES
from settings.catalogue.kinds import Duration, HostAndPort, Integer, Number, Reader, ServiceRoot, Text, Words

HEADING: Final = "The load"

_RUN: Final[tuple[Reader, ...]] = ("loadgen", "bench")

TARGET: Final = Text(
    "TARGET",
    "what is measured: a name of `targets/`, or `name:variant`, or the path of a folder of your own; with BASE_URL a"
    " free name of what runs there",
    "tidemark",
    readers=("loadgen", "bench"),
    stack=(),
    lead=True,
)
SCENARIO: Final = Text(
    "SCENARIO",
    "a name of `scenarios/`, or the path of a file of your own; the bench names it by its command",
    "throughput",
    readers=("loadgen",),
    handed_on=False,
)
SCENARIO_TEXT: Final = Text(
    "SCENARIO_TEXT",
    "the text of a scenario that the load generator's machine has no file of; bench: told for one of your own",
    readers=("loadgen",),
    unset="SCENARIO says where it is",
    handed_on=False,
    shown=False,
)
VUS: Final = Integer("VUS", "users", 100, 1, 100_000, readers=_RUN, lead=True)
DURATION: Final = Duration("DURATION", "the load phase", "30s", 0.5, 86_400, readers=_RUN, lead=True)
WARMUP: Final = Duration("WARMUP", "before the load phase, not counted", "3s", 0, 3600, readers=_RUN)
WRITE_RATIO: Final = Number("WRITE_RATIO", "share of the users that write", 0.5, 0, 1, readers=_RUN, lead=True)
THINK_TIME_MS: Final = Number(
    "THINK_TIME_MS",
    "a user's pause between requests; 0: as fast as it can",
    100.0,
    0,
    3_600_000,
    readers=_RUN,
    lead=True,
)
RATE: Final = Number(
    "RATE", "arrivals a second, open loop", None, 0.1, 1_000_000, readers=_RUN, unset="closed loop", lead=True
)
HOTTEST: Final = 4
"""So many streams of a run are the hottest: the first that it creates. They are never deleted."""

SKEW: Final = Number(
    "SKEW",
    f"share of the writes that go to the {HOTTEST} hottest streams, as updates; the rest is as the scenario mixes it",
    0.0,
    0,
    1,
    readers=_RUN,
    lead=True,
)
HOLD: Final = Duration(
    "HOLD",
    "how long all projectors stand still after the load, so that there is something to catch up with; 0: not at all",
    "0s",
    0,
    3600,
    readers=_RUN,
    unset="`5s` in `throughput`, else 0",
    example="5s",
    lead=True,
)
CONVERGENCE_MAX: Final = Duration(
    "CONVERGENCE_MAX", "how long the projection may take to catch up", "60s", 0.5, 86_400, readers=_RUN, lead=True
)
SILENCE_MAX: Final = Duration(
    "SILENCE_MAX",
    "how long the API may give no answer before the run is given up",
    "5s",
    0.5,
    3600,
    readers=("loadgen",),
    acts=False,
)
SEED: Final = Integer("SEED", "repeats the mix of operations", 1, 0, 2**53, readers=_RUN, acts=False, lead=True)
BASE_URL: Final = ServiceRoot(
    "BASE_URL",
    "a stack that already runs, such as http://127.0.0.1:8000; its proof is the best that it offers: by its store with"
    " `DATABASE_URL`, by its log, or by reading back",
    "http://127.0.0.1:8000",
    readers=_RUN,
    unset="a system of its own",
    example="",
    stack=(),
    acts=False,
    lead=True,
)
PLATFORM: Final = Text(
    "PLATFORM",
    "where a run takes place, by a platform's name, with `:` and a folder where it takes one (docs/operation)",
    readers=("bench",),
    unset="the stack, if it is up, else a system of its own",
    stack=(),
    acts=False,
)
LOADGEN_WORKERS: Final = Integer(
    "LOADGEN_WORKERS",
    "processes that have the users, beside a master that judges; 0: one process does all",
    0,
    0,
    64,
    readers=("loadgen", "stack"),
    stack=("loadgen",),
)
LOADGEN_LISTEN: Final = HostAndPort(
    "LOADGEN_LISTEN",
    "host:port where workers from elsewhere come to",
    readers=("loadgen",),
    unset="they are started here",
    stack=(),
)
LOADGEN_MASTER: Final = HostAndPort(
    "LOADGEN_MASTER",
    "where a worker's master is: `python -m services.loadgen.worker`",
    "127.0.0.1:5557",
    readers=("loadgen-worker",),
    stack=(),
)
RESULTS_DIR: Final = Text(
    "RESULTS_DIR",
    "where the load generator leaves its files; the bench gives it the bundle's folder",
    "results/loadgen",
    readers=("loadgen",),
    handed_on=False,
    # The image's own folder, where the volume is.
    stack=(),
)
TARGET_CAPABILITIES: Final = Words(
    "TARGET_CAPABILITIES",
    "what the target offers beyond the required calls, of which nothing else is asked; the bench tells it",
    CAPABILITIES,
    CAPABILITIES,
    readers=("loadgen",),
    handed_on=False,
    stack=(),
    shown=False,
)
RUN_ID: Final = Text(
    "RUN_ID",
    "names the run in InfluxDB; the bench gives it the bundle's name",
    readers=("loadgen",),
    unset="moment, scenario, mode",
    handed_on=False,
)
