"""Outcome of a rebuild: what was filled, what differs, and for how long the switch kept others out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from projection.operator.rebuild.compared import Difference


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`streams` and `events` are all that the shadow has, `filled` the events of this call, which took `seconds`.

    `differing` live rows and counters were not as the log makes them, of which the first are named. With `switched`
    the shadow is live now; projectors waited for `projectors_ms`, readers for `readers_ms` of that.
    """

    read_models: tuple[str, ...]
    streams: int
    events: int
    filled: int
    seconds: float
    switched: bool
    differing: int = 0
    differences: tuple[Difference, ...] = ()
    mendable: bool = True
    passes: int = 0
    projectors_ms: float = 0.0
    readers_ms: float = 0.0

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        what = f"{', '.join(self.read_models)} from {self.events:,} events of {self.streams:,} streams"
        if not self.switched:
            yield f"rebuilt {what}, and not switched: {self.differing:,} rows or counters of the live tables differ"
            yield from self._named()
            yield self._what_to_do()
            return
        proof = f"{self.differing:,} rows or counters mended" if self.differing else "equal to the live rows"
        yield (
            f"rebuilt {what}: {proof}, and switched; {self.filled:,} events in {self.seconds:.1f} s, projectors held"
            f" out for {self.projectors_ms:.0f} ms, readers for {self.readers_ms:.0f} ms"
        )
        yield from self._named()

    def _named(self) -> Iterator[str]:
        yield from (f"  {one}" for one in self.differences)
        if self.differing > len(self.differences):
            yield f"  and {self.differing - len(self.differences):,} more"

    def _what_to_do(self) -> str:
        if self.mendable:
            return "`rebuild --mend` puts what the log makes of them in their place; it goes on from here"
        return "the log, or the count of what is projected, is in doubt itself: `recount`, then see which events are"
