"""The waterfall of a run, from the probe's samples, the store's audit and the projectors' moments; best effort.

It asks nothing of the system while that is measured: the store is read after the load, the projectors keep their
moments in memory and write them at their end. What can not be told is null with the reason, and never an error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.bundle.folder import Bundle
from bench.oracle import database
from bench.preflight.settings import Settings
from bench.trial.waterfall import stages, stored
from bench.trial.waterfall.clock import Offset, offset
from bench.trial.waterfall.stages import Batch, Batches, Effect, Write
from metrics.catalogue import STAGES
from metrics.raw import moments
from metrics.raw.moments import SUFFIX, Moments, Row
from metrics.raw.visibility_samples import FILE, KEPT, Sample
from metrics.reading import BadDocument, read, read_lines
from metrics.records.sections.staleness import NOT_TOLD, Ranks, Waterfall

OUT: Final = "waterfall.jsonl"
DISAGREE_MOST: Final = 0.05
"""Of the writes. Where more contradict themselves, clocks are wrong or batches are not theirs: nothing is told."""
FLOOR_S: Final = 0.001
"""No clock reading is believed closer: a process may be put off between the moment and its reading."""


@dataclass
class Observation:
    """What was read while the system ran: the samples, their events in the store, and the offset of its clock."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    stored: Mapping[stored.Event, stored.Stored] = field(default_factory=dict)
    clock: Offset = field(default_factory=lambda: Offset(0.0, 0.0))
    why: str = ""
    newest_only: bool = False


def observe(url: str | None, folder: Path, before: Offset) -> Observation:
    """Read what the store knows of the probe's writes; `before` is the offset of its clock when the load began.

    Without a store of ours there is nothing to read.
    """
    if url is None:
        return Observation(clock=before, why=f"{NOT_TOLD}: the target keeps no audit of ours, nor do its projectors")
    try:
        kept = read_lines(folder / FILE, Sample).records
        samples = [one for one in kept if one["counted"]]
        if not samples:
            return Observation(clock=before, why="the probe saw no write of the load phase")
        clock = before.drifted(database.run(offset(url)))
        found = database.run(stored.read(url, [(one["stream"], one["version"]) for one in samples]))
    except (BadDocument, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Observation(clock=before, why=f"{NOT_TOLD}: {error}")
    return Observation(samples, found, clock, newest_only=len(kept) >= KEPT)


def tell(observed: Observation, settings: Settings, bundle: Bundle) -> Waterfall:
    """The section of the result, once the projectors have ended; the stages of each write go to the bundle."""
    if why := _unknowable(settings) or observed.why:
        return Waterfall(why=why)
    try:
        told = moments_of(bundle.log)
    except BadDocument as error:
        return Waterfall(why=f"{NOT_TOLD}: {error}")
    if not told:
        return Waterfall(why=f"{NOT_TOLD}: the projectors kept no moments, being in containers or started by hand")
    within_s = observed.clock.within_s + FLOOR_S
    batches = {projector: Batches(rows) for projector, rows in told.items()}
    lines = [line for one in observed.samples if (line := _line(one, observed, batches, within_s)) is not None]
    with bundle.noting(OUT):
        bundle.keep(bundle.folder / OUT, "".join(json.dumps(line) + "\n" for line in lines))
    newest = observed.newest_only or any(len(rows) >= moments.KEPT for rows in told.values())
    return replace(summary(lines, writes=len(observed.samples), within_s=within_s), newest_only=newest)


def summary(lines: Sequence[Mapping[str, Any]], *, writes: int, within_s: float) -> Waterfall:
    """Percentiles of each stage over those lines of `waterfall.jsonl` whose moments agree; none where many do not."""
    resolution = round(within_s * 1000, 3)
    if not lines:
        why = f"{NOT_TOLD}: no batch was found for any of {writes} writes"
        return Waterfall(writes=writes, resolution_ms=resolution, why=why)
    agreed = [line for line in lines if not line["disagreement"]]
    wrong = len(lines) - len(agreed)
    counted = Waterfall(samples=len(lines), writes=writes, disagreements=wrong, resolution_ms=resolution)
    if wrong > DISAGREE_MOST * len(lines):
        most, count = Counter(line["disagreement"] for line in lines if line["disagreement"]).most_common(1)[0]
        apart = f"the moments of {wrong} of {len(lines)} writes contradict each other"
        return replace(counted, why=f"{NOT_TOLD}: {apart} (of {count}: {most})")
    by_stage: dict[str, Any] = {name: _ranks([line[name] for line in agreed]) for name in STAGES}
    return replace(
        counted,
        **by_stage,
        visibility=_ranks([line["visibility_ms"] for line in agreed]),
        insert_to_acknowledged=_ranks([-line["inserted_at_ms"] for line in agreed]),
        ahead=round(sum(line["ahead"] for line in agreed) / len(agreed), 4),
        why="",
    )


def _unknowable(settings: Settings) -> str:
    if settings.shards > 1:
        return f"{NOT_TOLD}: a projector works on several shards at the same time, and its batches are not told apart"
    if settings.handler_latency_ms:
        return f"{NOT_TOLD}: with HANDLER_LATENCY_MS claims wait beside one another, and nobody knows an event's own"
    return ""


def moments_of(log: Path) -> dict[str, list[Row]]:
    """What each projector kept of its batches, where the bench started it. Raises BadDocument."""
    documents = [read(path, Moments) for path in log.glob(f"*{SUFFIX}")]
    return {document["projector"]: document["rows"] for document in documents if document["rows"]}


def _line(
    sample: Mapping[str, Any], observed: Observation, batches: Mapping[str, Batches], within_s: float
) -> dict[str, Any] | None:
    """A write's stages, and its moments since the acknowledgement, in ms; None where its batch is not known."""
    known = observed.stored.get((sample["stream"], sample["version"]))
    if known is None:
        return None
    effect = Effect(observed.clock.here(known.recorded_at), observed.clock.here(known.projected_at))
    rows = batches.get(known.projector)
    batch = None if rows is None else rows.find(effect, within_s)
    if batch is None:
        return None
    acknowledged_at, unseen_ms = sample["acknowledged_at"], sample["unseen_ms"]
    write = Write(
        acknowledged_at=acknowledged_at,
        answered_at=sample["answered_at"],
        visibility_s=max(sample["answered_ms"], 0.0) / 1000,
        unseen_at=None if unseen_ms is None else acknowledged_at + unseen_ms / 1000,
    )
    parts = stages.stages_s(write, batch)
    return {
        **{name: sample[name] for name in ("stream", "version", "acknowledged_at")},
        "visibility_ms": round(write.visibility_s * 1000, 3),
        **{name: round(seconds * 1000, 3) for name, seconds in parts.items()},
        **{name: round((moment - acknowledged_at) * 1000, 3) for name, moment in _at(effect, batch).items()},
        "ahead": batch.noticed < acknowledged_at,
        "disagreement": stages.disagreement(write, effect, batch, within_s),
    }


def _at(effect: Effect, batch: Batch) -> dict[str, float]:
    return {
        "inserted_at_ms": effect.recorded_at,
        "noticed_at_ms": batch.noticed,
        "claimed_at_ms": batch.claimed,
        "written_at_ms": effect.projected_at,
        "committed_at_ms": batch.committed,
    }


def _ranks(values: Sequence[float]) -> Ranks:
    ordered = sorted(values)
    at = {rank: ordered[max(-(-rank * len(ordered) // 100), 1) - 1] for rank in (50, 95, 99)}
    return Ranks(at[50], at[95], at[99])
