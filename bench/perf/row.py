"""What a row of the speed table is: what is measured, next to what, and what must be reached.

A *reading* is one measurement of one side. The sides are `ours`, the `reference` (what the machine, Postgres or the web
framework can do when it does nothing else), and peers. Sides are measured in turns within one run, because the same
machine is another machine an hour later; so every ratio is made of readings that were taken side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from bench.perf.lab import Lab

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Reading:
    """One measurement: the row's figure in the row's unit, and further figures by name (such as `p99`)."""

    value: float
    figures: Mapping[str, float] = field(default_factory=dict)

    def figure(self, name: str) -> float:
        """A figure by name; the empty name is the value itself."""
        return self.figures[name] if name else self.value


Measure = Callable[[], Reading]


class Unmeasured(Exception):
    """A side can not be measured on this machine; the message says why and what to do."""


@dataclass(frozen=True)
class Contest:
    """The sides of one row, made ready: each call is one reading."""

    ours: Measure
    reference: Measure | None = None
    peers: Mapping[str, Measure] = field(default_factory=dict)

    def sides(self) -> dict[str, Measure]:
        """Every side by name, in the order in which they take turns."""
        reference = {"reference": self.reference} if self.reference else {}
        return {"ours": self.ours, **reference, **self.peers}


@dataclass(frozen=True)
class Remembered:
    """A peer that can not be had here: a share of this run's reference, or a fixed figure, of an earlier sitting."""

    ratio_to_reference: float | None = None
    value: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """`figure` of ours must be `at least` or `at most` `factor` times the same figure of side `of`.

    Without `of` the factor itself, in the row's unit or a figure's own, is the bound.
    """

    sense: Literal["at least", "at most"]
    factor: float
    of: str = ""
    figure: str = ""
    unit: str | None = None

    def words(self, unit: str) -> str:
        """For people, such as `≥ 1.5 × the reference` or `p99 ≤ 5 ms`."""
        sign = "≥" if self.sense == "at least" else "≤"
        bound = (
            f"{self.factor:g} × {'the reference' if self.of == 'reference' else self.of}"
            if self.of
            else f"{self.factor:g} {unit if self.unit is None else self.unit}"
        )
        return f"{self.figure} {sign} {bound}".strip()


@dataclass(frozen=True)
class Row:
    """One row. `open` prepares the sides in a lab and clears up behind them; `peer` is the one in the row's target.

    `server`, `client` and `strategy` name what our side's readings pass through.

    `settings` are Postgres settings that this row's cluster needs, beside its defaults. A `long` row runs only when
    it is asked for by name, or with `--full`.
    """

    name: str
    title: str
    unit: str
    better: Better
    ours: str
    reference: str
    server: str
    client: str
    strategy: str
    open: Callable[[Lab], AbstractContextManager[Contest]]
    targets: tuple[Target, ...] = ()
    peer: str = ""
    remembered: Mapping[str, Remembered] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    trials: int | None = None
    long: bool = False
