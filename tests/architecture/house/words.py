"""Words that the house has retired, what is said instead, and where a word keeps its one meaning.

Text is read in words: `WireError`, `_wire` and `wire-error` all have the word "wire", so a name is found however it is
spelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from typing import Final

PAST: Final = ("CHANGELOG.md", "docs/decisions/*", "migrations/versions/*", "tests/architecture/house/*")
"""What speaks of the past, can no longer be changed, or has the words because it looks for them."""

LOADGEN: Final = ("services/loadgen/*", "tests/*loadgen*", "bench/perf/programs/load.py")
PERF: Final = ("bench/perf/*", "tests/unit/perf/*", "tests/unit/bench/test_perf*", "docs/figures/performance.md")

POST_DRAIN: Final = (
    *(
        "services/api/routes/drain.py",
        "services/api/routes/stats.py",
        "services/api/http/bodies.py",
        "services/api/app.py",
        "services/api/shards/*",
    ),
    *("projection/stats*", "eventstore/schema*", "*/schema.py", "eventstore/soundness/rights.py", "migrations/roles/*"),
    *("services/loadgen/*", "tests/fakes/*", "tests/integration/api/*", "tests/unit/loadgen/*"),
    *(
        "tests/integration/eventstore/test_stats.py",
        "tests/unit/test_shard_sums.py",
        "tests/integration/roles/*",
        "tests/plans/*",
        "GLOSSARY.md",
    ),
    *("targets/*", "bench/platforms/targets/*", "bench/*/conformance/*", "tests/*conformance*"),
    *("docs/comparison.md", "results/*"),
    *("settings/targets/document.py", "settings/catalogue/capabilities.py", "tests/unit/targets/*"),
)
"""Who offers it, calls it, counts it or stands for it."""

VISIBILITY: Final = (
    *(
        "services/loadgen/*",
        "tests/*loadgen*",
        "tests/fakes/todo_server.py",
        "tests/acceptance/test_runs.py",
        "scenarios/*",
        "settings/scenarios*",
    ),
    *(
        "settings/catalogue*",
        "metrics/*",
        "grafana/*",
        "bench/report/*",
        "bench/trial/*",
        "docs/*",
        "GLOSSARY.md",
        ".env.example",
        "README.md",
    ),
)
"""Where *the probe* can be no other than the visibility probe."""

KUBERNETES: Final = ("deploy/*", "tests/kubernetes/*", "docs/operation/kubernetes.md")
"""Its field names have them."""

DOCTOR: Final = (
    "services/doctor/*",
    "bench/answers/doctor/*",
    "bench/preflight/examination.py",
    "metrics/records/doctor.py",
    "tests/*doctor*",
)
"""What it says of a database is a fact, also in the files that it writes."""


@dataclass(frozen=True)
class Retired:
    """A word by a pattern over text read in words; `only` limits where it is retired, `beyond` is where it may stand.

    `names` retires it as a name alone: of a file, or of anything in Python. `unless` is what is said with it and meant.
    """

    word: str
    instead: str
    only: tuple[str, ...] = ("*",)
    beyond: tuple[str, ...] = ()
    names: bool = False
    unless: str = r"(?!)"


RETIRED: Final = (
    Retired("crew", "master"),
    Retired("hands?", "worker_run, worker", names=True, unless=r"(by|in|at|on) hand|hands (?=its|over)"),
    Retired("books?", "journal, ledger"),
    Retired("diar(y|ies)", "journal"),
    Retired("link", "supervisor_link", only=LOADGEN, names=True, unless=r"supervisor link|link exception"),
    Retired("wires?", "http, HTTP client"),
    Retired("vitals", "saturation"),
    Retired("conductors?", "phases"),
    Retired("facts", "stats, figures", beyond=DOCTOR),
    Retired("fact", "stats, figures", names=True, beyond=DOCTOR),
    Retired("together", "batch loader", only=("services/*",), names=True),
    Retired("coalescers?", "group commit"),
    Retired("pace", "rate limit", names=True),
    Retired("windows?", "interval", only=("services/api/*", *LOADGEN), names=True),
    Retired("telemetry", "influx_stream", only=LOADGEN, names=True),
    Retired(
        "collectors?",
        "gc_policy",
        beyond=(
            "services/tracing.py",
            "services/telemetry*",
            "services/api/routes/*metrics*",
            "tests/integration/stack/*",
        ),
        unless=r"garbage collector",
    ),
    Retired(
        "drain(s|ed|ing)?",
        "POST /drain alone; else stream_locks, run to the end, catch up",
        beyond=POST_DRAIN,
        unless=r"/drain\b|post drain|writer drain|routes[. ]drain|drain count|count drain|\bdrains\b(?= bigint|, )",
    ),
    Retired(
        "prob(e|es|ed|ing)",
        "visibility_probe alone; else hooks, check",
        # TCP has the word for what keeps a connection alive.
        beyond=(*VISIBILITY, *KUBERNETES, "eventstore/connection/keepalive.py"),
        unless=r"visibility probe",
    ),
    Retired(
        "limits?",
        "reference",
        only=PERF,
        # Of a claim, of a page, and of open files.
        beyond=tuple(f"bench/perf/{name}.py" for name in ("programs/claims", "programs/plain_users", "rows/goodput")),
        unless=r"time limit|limit \d+|limit {|soft limit",
    ),
    Retired(r"limits? of (this|the) machine|next to its limits?|the limit \|", "reference"),
    Retired("drivers?", "program", only=PERF, unless=r"database driver"),
)


def offences(path: str, text: str) -> Iterator[str]:
    """Each retired word of a file, with its line and what is said instead; line 0 is the file's name."""
    if any(fnmatch(path, past) for past in PAST):
        return
    lines = [path, *text.splitlines()]
    names = [path, *_names(text)] if path.endswith(".py") else [path]
    # Most files have none of them, and a look at the whole says so at once.
    whole = {True: in_words("\n".join(names)), False: in_words("\n".join(lines))}
    for retired in RETIRED:
        if _applies(retired, path) and _pattern(retired.word).search(whole[retired.names]):
            for number, line in enumerate(names if retired.names else lines):
                if said := _said(retired, line):
                    yield f"{path}:{number} {said}: say {retired.instead}"


def in_words(text: str) -> str:
    """Text with every name taken apart, in small letters."""
    return re.sub(r"[_-]", " ", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)).lower()


def _applies(retired: Retired, path: str) -> bool:
    return any(fnmatch(path, only) for only in retired.only) and not any(fnmatch(path, out) for out in retired.beyond)


def _said(retired: Retired, line: str) -> str | None:
    meant = re.sub(retired.unless, " ", in_words(line))
    found = _pattern(retired.word).search(meant)
    return found.group() if found else None


@cache
def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{word})(?!\w)")


def _names(text: str) -> Iterator[str]:
    """The names of each line of Python, without strings and comments."""
    quoted = re.compile(r'("""|\'\'\')(?:.|\n)*?\1|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')
    yield from quoted.sub(lambda found: "\n" * found.group().count("\n"), text).splitlines()
