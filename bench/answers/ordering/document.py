"""`ordering.json`: a row for each strategy, with all its trials."""

from __future__ import annotations

from bench import ROOT
from bench.answers.ordering import judge
from bench.answers.ordering.load import IDLE_S, LATE, POLL_S, ROLLED_BACK
from bench.answers.ordering.sitting import Sitting
from bench.perf.trials import doubted
from bench.preflight import description
from metrics.records.answers import ordering as records


def build(ordering_id: str, sitting: Sitting) -> records.Ordering:
    """The document of a sitting that has at least one trial."""
    terms = sitting.terms
    rows = [
        judge.row(name, strategy, sitting.taken[name], sitting.failed.get(name, ""))
        for name, strategy in sitting.strategies.items()
    ]
    return {
        "schema": records.SCHEMA,
        "ordering_id": ordering_id,
        "sound": not sitting.ended and all(judge.as_it_must(row) for row in rows),
        "why": sitting.ended,
        "seed": terms.seed,
        "rounds": sitting.rounds,
        "complete": sitting.complete,
        "seconds": terms.seconds,
        "writers": terms.writers,
        "stall_s": terms.stall_s,
        "took_s": round(sitting.took_s, 1),
        "machine": dict(description.machine()),
        "postgres": dict(sitting.postgres or {}),
        "versions": dict(description.versions(ROOT)),
        "doubts": list(doubted(sitting.losses)["doubts"]) if sitting.losses else [],
        "notes": _notes(rows),
        "rows": rows,
    }


def _notes(rows: list[records.Row]) -> list[str]:
    notes = [
        f"{LATE:.0%} of the transactions idle {IDLE_S[0] * 1000:.0f} to {IDLE_S[1] * 1000:.0f} ms before their commit,"
        f" {ROLLED_BACK:.0%} as long before they roll back",
        "an append's time is of those that do neither; writers and reader are one process, which bounds the cheap"
        f" strategies; the reader polls every {POLL_S * 1000:.0f} ms",
    ]
    if not any(row["control"] for row in rows):
        notes.append("no control was measured: that nothing was lost was not shown to be hard")
    return notes
