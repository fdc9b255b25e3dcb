"""The waterfall of a run, from the probe's samples, the store's audit and the projectors' moments; best effort.

It asks nothing of the system while that is measured: the store is read after the load, the projectors keep their
moments in memory and write them at their end. What can not be told is null with the reason, and never an error.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

import asyncpg

from bench.bundle.folder import Bundle
from bench.oracle import database
from bench.preflight.settings import Settings
from bench.trial.waterfall import stages, stored
from bench.trial.waterfall.clock import Offset, offsets
from bench.trial.waterfall.stages import Batch, Batches, Effect, Write
from metrics.catalogue import STAGES
from metrics.raw import moments
from metrics.raw.moments import SUFFIX, Moments, Row
from metrics.raw.visibility_samples import FILE, KEPT, Sample
from metrics.reading import BadDocument, read, read_lines
from metrics.records.sections.staleness import NOT_TOLD, Ranks, Stages, Waterfall

OUT: Final = "waterfall.jsonl"
DISAGREE_MOST: Final = 0.05
"""Of the writes. Where more contradict themselves, clocks are wrong or batches are not theirs: nothing is told."""
FLOOR_S: Final = 0.001
"""No clock reading is believed closer: a process may be put off between the moment and its reading."""

Worker = tuple[str, int]
"""A projector's name, and the number of the shard that it serves: batches of two shards run at the same time."""


@dataclass
class Observation:
    """What was read while the system ran: samples, their events in the store, and the offset of each shard's clock."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    stored: Mapping[stored.Event, stored.Stored] = field(default_factory=dict)
    clocks: Sequence[Offset] = ()
    why: str = ""
    newest_only: bool = False

    def within_s(self, shard: int) -> float:
        """How far moments of a shard may be off."""
        return self.clocks[shard].within_s + FLOOR_S


def observe(urls: Sequence[str], folder: Path, before: Sequence[Offset]) -> Observation:
    """Read what the store of each shard knows of the probe's writes; `before` has its clock when the load began.

    Without a store of ours there is nothing to read.
    """
    if not urls:
        return Observation(clocks=before, why=f"{NOT_TOLD}: the target keeps no audit of ours, nor do its projectors")
    try:
        kept = read_lines(folder / FILE, Sample).records
        samples = [one for one in kept if one["counted"]]
        if not samples:
            return Observation(clocks=before, why="the probe saw no write of the load phase")
        clocks = list(map(Offset.drifted, before, database.run(offsets(urls))))
        found = database.run(stored.read(urls, [(one["stream"], one["version"]) for one in samples]))
    except (BadDocument, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Observation(clocks=before, why=f"{NOT_TOLD}: {error}")
    return Observation(samples, found, clocks, newest_only=len(kept) >= KEPT)


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
    batches = {worker: Batches(rows) for worker, rows in told.items()}
    followed = [(shard, line) for one in observed.samples for shard, line in _line(one, observed, batches)]
    lines = [line for _, line in followed]
    with bundle.noting(OUT):
        bundle.keep(bundle.folder / OUT, "".join(json.dumps(line) + "\n" for line in lines))
    newest = observed.newest_only or any(len(rows) >= moments.KEPT for rows in told.values())
    within_s = max(map(observed.within_s, range(len(observed.clocks))))
    whole = summary(lines, writes=len(observed.samples), within_s=within_s)
    return replace(whole, newest_only=newest, shards=_by_shard(observed, followed))


def _by_shard(observed: Observation, followed: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Stages]:
    """The stages of each of several shards; of one, they are the whole."""
    if len(observed.clocks) < 2:
        return []
    writes = Counter(known.shard for known in observed.stored.values())
    found = []
    for shard in range(len(observed.clocks)):
        lines = [line for own, line in followed if own == shard]
        whole = summary(lines, writes=writes[shard], within_s=observed.within_s(shard))
        found.append(Stages(**{each.name: getattr(whole, each.name) for each in fields(Stages)}))
    return found


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
    if settings.handler_latency_ms:
        return f"{NOT_TOLD}: with HANDLER_LATENCY_MS claims wait beside one another, and nobody knows an event's own"
    return ""


def moments_of(log: Path) -> dict[Worker, list[Row]]:
    """What each projector kept of its batches in each shard, where the bench started it. Raises BadDocument."""
    documents = [read(path, Moments) for path in log.glob(f"*{SUFFIX}")]
    return {(each["projector"], each.get("shard", 0)): each["rows"] for each in documents if each["rows"]}


def _line(
    sample: Mapping[str, Any], observed: Observation, batches: Mapping[Worker, Batches]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Shard and stages of a write, with its moments since the acknowledgement, in ms; nothing without its batch."""
    known = observed.stored.get((sample["stream"], sample["version"]))
    if known is None:
        return
    clock, within_s = observed.clocks[known.shard], observed.within_s(known.shard)
    effect = Effect(clock.here(known.recorded_at), clock.here(known.projected_at))
    rows = batches.get((known.projector, known.shard))
    batch = None if rows is None else rows.find(effect, within_s)
    if batch is None:
        return
    acknowledged_at, unseen_ms = sample["acknowledged_at"], sample["unseen_ms"]
    write = Write(
        acknowledged_at=acknowledged_at,
        answered_at=sample["answered_at"],
        visibility_s=max(sample["answered_ms"], 0.0) / 1000,
        unseen_at=None if unseen_ms is None else acknowledged_at + unseen_ms / 1000,
    )
    parts = stages.stages_s(write, batch)
    yield (
        known.shard,
        {
            **{name: sample[name] for name in ("stream", "version", "acknowledged_at")},
            **({"shard": known.shard} if len(observed.clocks) > 1 else {}),
            "visibility_ms": round(write.visibility_s * 1000, 3),
            **{name: round(seconds * 1000, 3) for name, seconds in parts.items()},
            **{name: round((moment - acknowledged_at) * 1000, 3) for name, moment in _at(effect, batch).items()},
            "ahead": batch.noticed < acknowledged_at,
            "disagreement": stages.disagreement(write, effect, batch, within_s),
        },
    )


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
