"""The waterfall of an event: noticed, claimed, committed, read; each stage begins where the last one ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bench.report.words import milliseconds
from metrics.catalogue import STAGES
from metrics.records.sections.staleness import Ranks, Stages, Waterfall

MEANINGS: Final = {
    "commit_to_noticed": "from the acknowledgement until a projector knew of the event",
    "noticed_to_claimed": "until it held the stream's lease",
    "claimed_to_committed": "until the effect was committed",
    "committed_to_read": "until a read showed it",
}
SHOWN: Final = ("p50", "p95", "p99")


def waterfall(found: Waterfall) -> dict[str, Any]:
    """A row with a bar for each stage, by medians, and one for the whole; or the reason why there is none."""
    if found.why or not found.samples:
        return {"rows": [], "whole": None, "reason": found.why or "no event was followed", "notes": [], "shards": []}
    medians = [_median(getattr(found, stage)) for stage in STAGES]
    total = sum(medians) or 1.0
    rows, begun = [], 0.0
    for stage, took in zip(STAGES, medians, strict=True):
        bar = {"left": round(100 * begun / total, 2), "width": round(100 * took / total, 2)}
        rows.append(_row(stage.replace("_", " "), MEANINGS[stage], getattr(found, stage)) | bar)
        begun += took
    whole = _row("the whole", "from the acknowledgement to the first read that shows the write", found.visibility)
    return {"rows": rows, "whole": whole, "reason": "", "notes": _notes(found), "shards": _shards(found.shards)}


def _shards(found: Sequence[Stages]) -> list[dict[str, Any]]:
    """A row for each of several shards: the median of each stage and of the whole, or why there is none."""
    return [
        {
            "name": f"shard {number}",
            "followed": f"{one.samples:,} of {one.writes:,}",
            "values": [_row(stage, "", getattr(one, stage))["values"][0] for stage in (*STAGES, "visibility")],
            "why": one.why,
        }
        for number, one in enumerate(found)
    ]


def _notes(found: Waterfall) -> list[str]:
    said = [f"{found.samples:,} of {found.writes:,} sampled writes could be followed"]
    if found.resolution_ms is not None:
        said.append(f"clocks and intervals may be off by {milliseconds(found.resolution_ms)} ms")
    if found.ahead is not None:
        said.append(f"in {found.ahead:.0%} a projector knew of the event before its writer knew of the commit")
    before = found.insert_to_acknowledged
    if before is not None and before.p50 is not None:
        said.append(
            f"before it, {milliseconds(before.p50)} ms at the median go by from the insert to the acknowledgement"
        )
    if found.disagreements:
        said.append(f"the moments of {found.disagreements:,} contradict each other beyond that, and are left out")
    if found.newest_only:
        said.append("of a long run, these are its last writes alone")
    return said


def _row(name: str, meaning: str, ranks: Ranks | None) -> dict[str, Any]:
    values = [None if ranks is None else getattr(ranks, each) for each in SHOWN]
    told = ["–" if value is None else milliseconds(value) for value in values]
    return {"name": name, "meaning": meaning, "told": values[0] is not None, "values": told}


def _median(ranks: Ranks | None) -> float:
    return 0.0 if ranks is None or ranks.p50 is None else ranks.p50
