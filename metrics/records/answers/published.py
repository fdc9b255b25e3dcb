"""`results/<target>/<date>-<machine>.json`: the publishable half of a bundle, as anybody may send it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta

from metrics.records.answers.drills import Drill
from metrics.records.record import Record
from metrics.records.result import Result
from metrics.records.surroundings import Machine, Postgres, Versions

SCHEMA: Final = 1
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


@dataclass(frozen=True)
class Published(Record):
    """What was measured, on what, and by which versions, without secrets and names of hosts, users and paths.

    `schema` is that of this half; the result has its own. `measured_on` is the day of the run, in UTC. `machine` and
    `versions` are what the run had; `postgres` is None where the target has no Postgres. `result` is the whole
    `result.json`. `drills` are faults that were injected into the same target, each with its repetitions.
    """

    schema: int
    measured_on: Day
    machine: Machine
    versions: Versions
    postgres: Postgres | None
    result: Result
    drills: list[Drill] = field(default_factory=list)
