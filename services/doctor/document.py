"""What the doctor says: facts with a judgment each, strategies, and the exit code that sums them up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from metrics.records.doctor import SCHEMA, Diagnosis, Fact, Soundness, State
from services.doctor.engines import named

CODES: Final[dict[State, int]] = {"fine": 0, "warning": 1, "wrong": 2}


@dataclass(slots=True)
class Examination:
    """All that was found at one address, which is told without its secrets."""

    address: str
    facts: list[Fact] = field(default_factory=list)
    strategies: list[Soundness] = field(default_factory=list)

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
            places=named(self.facts),
            facts=self.facts,
            strategies=self.strategies,
            warnings=[
                f"{one.name}: {one.value}{f' ({one.note})' if one.note else ''}"
                for one in self.facts
                if one.state != "fine"
            ],
        )
