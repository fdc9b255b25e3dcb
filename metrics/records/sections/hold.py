"""Handshake of the hold, in a run's folder: the load generator asks by one file, who leads the run tells by another.

Each is replaced as a whole, so both processes may poll them, on one machine or from inside a container.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from metrics.reading import NOT_REQUIRED, read_optional
from metrics.records.record import Record, write_json

ASKED: Final = "hold-asked.json"
TOLD: Final = "hold.json"

Order = Literal["stand still", "go on"]
State = Literal["ready", "left out", "standing", "going on"]
Clock = Literal["database", "machine"]
"""Whose clock a moment of the hold is of: that of the store, or of the machine of whoever stopped the projectors."""


@dataclass(frozen=True)
class Asked(Record):
    """`hold-asked.json`: what the load generator wants of all projectors."""

    order: Order


@dataclass(frozen=True)
class Told(Record):
    """`hold.json`: what has become of the projectors. Times are seconds since the epoch on the clock of `clock`.

    `why`: why they were left alone. `within_batch` of them stood still in the middle of one, with its locks; None where
    the store can not be asked. `stood_at` was read after the last of them was stopped, `went_on_at` before the first
    went on; all had within `resolution_s` of that.
    """

    state: State
    why: str = ""
    projectors: int = 0
    within_batch: int | None = 0
    stood_at: float | None = None
    went_on_at: float | None = None
    resolution_s: float | None = None
    clock: Clock = field(default="database", metadata=NOT_REQUIRED)


def ask(folder: Path, order: Order) -> None:
    """As the load generator: give an order. Raises OSError."""
    write_json(folder / ASKED, Asked(order).to_dict())


def asked(folder: Path) -> Order | None:
    """The latest order, None before the first. Raises BadDocument."""
    found = read_optional(folder / ASKED, Asked)
    return found.order if found else None


def tell(folder: Path, told: Told) -> None:
    """As whoever leads the run: say what has become of the latest order. Raises OSError."""
    write_json(folder / TOLD, told.to_dict())


def told(folder: Path) -> Told | None:
    """What was said last, None where nobody leads the run. Raises BadDocument."""
    return read_optional(folder / TOLD, Told)
