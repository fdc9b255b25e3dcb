"""What the doctor says: facts with a judgment each, strategies, and the exit code that sums them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from eventstore.shards.hash_slots import Place
from metrics.records.doctor import SCHEMA, Diagnosis, Fact, Soundness, State
from services.doctor.engines import named

CODES: Final[dict[State, int]] = {"fine": 0, "warning": 1, "wrong": 2}


@dataclass(slots=True)
class Examination:
    """All that was found at one address, which is told without its secrets; or on all of several `shards`."""

    address: str
    facts: list[Fact] = field(default_factory=list)
    strategies: list[Soundness] = field(default_factory=list)
    shards: Sequence[tuple[Place, Examination]] = ()

    @classmethod
    def joined(cls, shards: Sequence[tuple[Place, Examination]]) -> Self:
        """One examination of several shards, each fact with its shard; a strategy is sound where it is on all."""
        whole = cls(" · ".join(f"{place}: {one.address}" for place, one in shards), shards=shards)
        for place, one in shards:
            whole.facts += [replace(fact, name=f"{fact.name} ({place})") for fact in one.facts]
        for same in zip(*(one.strategies for _, one in shards), strict=True):
            why = [f"{place}: {told.why}" for (place, _), told in zip(shards, same, strict=True) if not told.sound]
            whole.strategies.append(replace(same[0], sound=not why, why=" · ".join(why)))
        return whole

    @property
    def engines(self) -> list[str]:
        """The rows of the engine table that it is, each with its shard where there are several."""
        if not self.shards:
            return named(self.facts)
        return [f"{name} ({place})" for place, one in self.shards for name in one.engines]

    @property
    def code(self) -> int:
        """0 fine, 1 works with warnings, 2 does not work: no strategy is sound."""
        if not any(strategy.sound for strategy in self.strategies):
            return 2
        worst = max((CODES[fact.state] for fact in self.facts), default=0)
        return min(worst, 1) if all(strategy.sound for strategy in self.strategies) else 1

    def document(self) -> Diagnosis:
        """As `doctor.json` has it."""
        return Diagnosis(
            schema=SCHEMA,
            code=self.code,
            address=self.address,
            engines=self.engines,
            facts=self.facts,
            strategies=self.strategies,
            warnings=[
                f"{one.name}: {one.value}{f' ({one.note})' if one.note else ''}"
                for one in self.facts
                if one.state != "fine"
            ],
        )
