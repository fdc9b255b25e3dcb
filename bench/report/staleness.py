"""Staleness in sentences, as a user of the read model feels it. Pure; nothing is said of what was not measured."""

from __future__ import annotations

import math

from metrics.catalogue import STAGES
from metrics.records.sections.staleness import Staleness, Waterfall


def sentences(found: Staleness) -> list[str]:
    """The wait that suffices, the next read, reads that go back, and the price of waiting, a sentence each."""
    if found.why:
        return []
    return [sentence for sentence in (_within(found), _next(found), _back(found), _waiting(found)) if sentence]


def waterfall(found: Waterfall) -> str:
    """The medians of the stages, in their order; the reason where there are none. They do not add up: see there."""
    stages = [(stage.partition("_to_")[2], getattr(found, stage)) for stage in STAGES]
    if not found.samples or not any(ranks for _, ranks in stages):
        return found.why
    told = (f"{name} {'–' if ranks is None or ranks.p50 is None else f'{ranks.p50:.1f}'}" for name, ranks in stages)
    return f"{'  '.join(told)} ms"


def of_100(share: float) -> str:
    """A share as a count of 100, never rounded up: `all of 100` says that none was missed."""
    if share >= 1:
        return "100 of 100"
    return f"{math.floor(share * 100 + 1e-9)} of 100" if share >= 0.01 or share <= 0 else "fewer than 1 of 100"


def _within(found: Staleness) -> str:
    wait = found.visible_within_ms.p99
    if wait is not None:
        return f"a page that waits {_enough(wait)} ms sees its own write in 99 of 100"
    return f"{found.unseen} of {found.writes} writes were never seen, so no wait is known that suffices for 99 of 100"


def _next(found: Staleness) -> str:
    if found.read_your_writes is None:
        return ""
    return f"a read right after a write shows it in {of_100(found.read_your_writes)}"


def _back(found: Staleness) -> str:
    if found.monotonic_violations is None:
        return ""
    reads = f"{found.monotonic_reads} reads over {found.connections} connections in turn"
    if not found.monotonic_violations:
        return f"of {reads} none went back in time"
    return f"{found.monotonic_violations} of {reads} went back in time: they show less than their reader had seen"


def _waiting(found: Staleness) -> str:
    waiting = found.waiting
    if waiting.seen is None or waiting.extra_p50_ms is None or waiting.extra_p99_ms is None:
        return ""
    price = f"takes {_more(waiting.extra_p50_ms)} at the median, {_more(waiting.extra_p99_ms)} at p99"
    return f"a read that waits for its version shows it in {of_100(waiting.seen)}, and {price}"


def _more(ms: float) -> str:
    return f"{ms:.1f} ms more" if ms >= 0.05 else "no longer"


def _enough(ms: float) -> str:
    """Rounded up, for less would not suffice."""
    return f"{math.ceil(ms)}" if ms >= 10 else f"{math.ceil(ms * 10 - 1e-9) / 10:g}"
