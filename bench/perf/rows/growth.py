"""How every cost grows with the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from bench.perf import histories
from bench.perf.contests import costs, visible
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading, Row, Target

SIZES: Final = (10_000, 100_000)
LARGEST: Final = 1_000_000
EACH: Final = 10
SECONDS: Final = 3


@contextmanager
def contest(lab: Lab) -> Iterator[Contest]:
    """One database of each size for all readings; a reading looks at all of them in turn."""
    sizes = [lab.size(size) for size in (*SIZES, *((LARGEST,) if lab.full else ()))]
    seconds = lab.seconds(SECONDS)
    with ExitStack() as stack:
        urls = [stack.enter_context(lab.database()) for _ in sizes]
        for url, size in zip(urls, sizes, strict=True):
            histories.projected(lab, url, streams=size, each=EACH)
            lab.settle(url)

        def ours() -> Reading:
            costs = [costs.costs(lab, url, seconds) for url in urls]
            return _growth(costs[0], costs[-1])

        def noise() -> Reading:
            return _growth(costs.costs(lab, urls[0], seconds), costs.costs(lab, urls[0], seconds))

        yield Contest(ours, noise)


def _growth(small: dict[str, float], large: dict[str, float]) -> Reading:
    factors = {name: large[name] / small[name] for name in small}
    return Reading(max(factors.values()), factors)


ROW: Final = Row(
    name="growth",
    title="Growth of every cost from 100,000 events to 1 M (with --full: 10 M, over 1 M streams)",
    unit="times",
    better="lower",
    ours="the cost that grows most: its value in the largest store over that in the smallest",
    reference="the same of two measurements in the smallest store: the noise",
    targets=(Target("at most", 1.25, "reference"),),
    settings=visible.SETTINGS,
    trials=3,
    long=True,
    server="one API process (uvicorn, Litestar, Postgres), one projector",
    client="all that the other rows have",
    strategy="stream-leases",
    open=contest,
)
