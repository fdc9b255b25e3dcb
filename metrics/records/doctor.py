"""`doctor.json`: what a database is like, fact by fact with a judgment each, and which strategies are sound there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from metrics.records.record import Record

State = Literal["fine", "warning", "wrong"]
SCHEMA: Final = 2
WRITES: Final = "writes through the API"
"""The fact that says whether the API takes them, where it does not."""


@dataclass(frozen=True, slots=True)
class Fact(Record):
    """One thing that a run depends on; `note` says what follows from it and what to do, where it is not fine."""

    name: str
    value: str
    state: State = "fine"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Soundness(Record):
    """One ordering strategy, sound on this database or not. `mode` is how it is asked for."""

    name: str
    mode: str
    sound: bool
    why: str = ""


@dataclass(frozen=True)
class Diagnosis(Record):
    """The document. `code` is 0 fine, 1 works with warnings, 2 does not work; `address` is told without its secrets.

    `engines` are the rows of `docs/operation/engines.md` that it is: the server, the way to it, what is wrong there. Of
    several shards each row and fact is told with the shard that it is of.
    """

    schema: int
    code: int
    address: str
    engines: list[str]
    facts: list[Fact]
    strategies: list[Soundness]
    warnings: list[str]
