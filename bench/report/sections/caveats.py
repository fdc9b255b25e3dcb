"""What may not be concluded from a run, told from its settings and from what it was measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.preflight.description import durable
from bench.report.words import seconds, whole
from metrics.records.result import Result
from metrics.records.verification import Verification

FEW_SAMPLES: Final = 1000
"""Below it fewer than ten samples lie beyond the 99th percentile."""


def caveats(
    result: Result, documents: Mapping[str, Any], verification: Verification, *, samples: int
) -> list[tuple[str, str]]:
    """A conclusion that is not there, and why; a pair each."""
    return [
        *_place(result, documents),
        *_load(result),
        *_handler(result),
        *_durability(documents),
        *_statistics(result, verification, samples),
        *_left_out(result),
    ]


def _place(result: Result, documents: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if result.settings.get("BASE_URL") in (None, "embedded"):
        cores = (documents.get("machine") or {}).get("cores")
        whose = f"the {cores:g} cores of one machine" if cores else "the cores of one machine"
        yield "What a cluster does", f"Postgres, API, projectors and load generator shared {whose}, without a network."
    if result.settings.get("DATABASE_URL") == "embedded":
        yield "What an old database does", "The store was new and empty: no bloat, no large tables, all in memory."


def _load(result: Result) -> Iterator[tuple[str, str]]:
    settings, generator = result.settings, result.generator
    if settings.get("RATE") is None:
        users, pause = settings.get("VUS", "the"), settings.get("THINK_TIME_MS", 0)
        asked = f"{users} users with {pause} ms between requests" if pause else f"{users} users without a pause"
        why = f"Closed loop: {asked} wait for each answer, so a stall slows the load down and hides part of itself."
        yield "The highest rate that it takes", f"{why} bench:capacity asks for that rate."
    else:
        yield "The highest rate that it takes", "The rate was given by RATE. bench:capacity asks for the highest."
    if generator.saturated:
        yield (
            "How fast the server is",
            "The load generator was at its end: throughput is a lower bound of the server's.",
        )


def _handler(result: Result) -> Iterator[tuple[str, str]]:
    if latency := result.settings.get("HANDLER_LATENCY_MS"):
        yield "What handlers cost", f"Each event cost an artificial wait of {latency} ms; no handler of yours was run."
    else:
        yield "What your handlers cost", "The handler writes a todo and waits for nobody."
    if result.settings.get("HANDLER", "set") == "set":
        yield (
            "What a function for each event costs",
            "Events took effect as SQL over sets; HANDLER=each measures the other.",
        )


def _durability(documents: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    postgres = documents.get("postgres") or {}
    if postgres and not durable(postgres):
        yield (
            "How fast a durable store is",
            "fsync or synchronous_commit was off: a crash may lose acknowledged writes.",
        )
    elif not postgres:
        whose = "told by the target's manifest, not checked" if documents.get("target") else "neither told nor checked"
        yield "That a crash loses nothing", f"No Postgres was asked: durability is {whose}."
    else:
        yield "That a disk keeps what it confirms", "fsync was on; whether the disk or its host obeys was not tested."


def _statistics(result: Result, verification: Verification, samples: int) -> Iterator[tuple[str, str]]:
    yield "That B is better than A", "One trial has no spread. bench:compare runs pairs and gives intervals."
    seen = result.visibility_ms.samples
    if 0 < seen < FEW_SAMPLES:
        few = f"{whole(seen)} writes were sampled, so fewer than ten lie beyond the 99th percentile."
        yield "Rare slowness of reads that wait for writes", few
    if 0 < verification.projected_samples < FEW_SAMPLES:
        few = f"{whole(verification.projected_samples)} events were followed; the tail hangs on single ones."
        yield "Rare slowness of the projection", few
    if 0 < samples < 20:
        yield "How it does over hours", f"It was watched for {samples} s: no checkpoint cycle, no vacuum, no growth."
    else:
        yield "How it does over hours", "Checkpoints, vacuum and growth act over longer times than this run."


def _left_out(result: Result) -> Iterator[tuple[str, str]]:
    if not result.convergence.held_s:
        yield (
            "How fast it catches up",
            "Projectors did not stand still before the end, so there was little to catch up.",
        )
    elif result.convergence.until == "seen" and result.convergence.resolution_s is not None:
        yield (
            "Its speed of catching up to the millisecond",
            "The target tells no moment of its own: the end was seen by looks at /stats, and is known to "
            f"{seconds(result.convergence.resolution_s)}. The time is rather too long, the speed a lower bound.",
        )
    if result.settings.get("API_PROCESSES", 1) == 1:
        yield "Monotonic reads over several servers", "One API process answered all reads."
    for doubt in result.doubts:
        yield "Any figure without a doubt", f"{doubt[0].upper()}{doubt[1:].rstrip('.')}."
