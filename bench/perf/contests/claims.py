"""Claims in a store with many streams against a store with few; shared by two rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from bench.perf import histories
from bench.perf.lab import Lab
from bench.perf.row import Contest, Reading

MANY: Final = 1_000_000
FEW: Final = 1_000


def contest(*, pending: int) -> Callable[[Lab], AbstractContextManager[Contest]]:
    """Two databases for all readings, which differ in the number of streams that are caught up."""

    @contextmanager
    def opened(lab: Lab) -> Iterator[Contest]:
        with lab.database() as many, lab.database() as few:
            for url, streams in ((many, lab.size(MANY)), (few, FEW)):
                histories.caught_up_heads(lab, url, streams)
                if pending:
                    histories.pending_heads(lab, url, pending, first=streams + 1)
                lab.settle(url)

            def read(url: str) -> Reading:
                found = lab.program("claims", f"--most={max(pending, 100)}", url=url)
                assert found["claimed"] == pending
                return Reading(found["p50"], {"p99": found["p99"]})

            yield Contest(lambda: read(many), lambda: read(few))

    return opened
