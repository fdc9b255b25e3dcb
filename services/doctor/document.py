"""What the doctor says: facts with a judgment each, strategies, and the exit code that sums them up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

State = Literal["fine", "warning", "wrong"]
SCHEMA: Final = 1
CODES: Final[dict[State, int]] = {"fine": 0, "warning": 1, "wrong": 2}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a run depends on; `note` says what follows from it and what to do, where it is not fine."""

    name: str
    value: str
    state: State = "fine"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to project, sound on this database or not. `mode` is how it is asked for."""

    name: str
    mode: str
    sound: bool
    why: str = ""


@dataclass(slots=True)
class Examination:
    """All that was found at one address, which is told without its secrets."""

    address: str
    facts: list[Fact] = field(default_factory=list)
    strategies: list[Strategy] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0 fine, 1 works with warnings, 2 does not work: no strategy is sound."""
        if not any(strategy.sound for strategy in self.strategies):
            return 2
        worst = max((CODES[fact.state] for fact in self.facts), default=0)
        return min(worst, 1) if all(strategy.sound for strategy in self.strategies) else 1

    def document(self) -> dict[str, Any]:
        """As `doctor.json` has it."""
        return {
            "schema": SCHEMA,
            "code": self.code,
            "address": self.address,
            "facts": [
                {"name": one.name, "value": one.value, "state": one.state, "note": one.note} for one in self.facts
            ],
            "strategies": [
                {"name": one.name, "mode": one.mode, "sound": one.sound, "why": one.why} for one in self.strategies
            ],
            "warnings": [
                f"{one.name}: {one.value}{f' ({one.note})' if one.note else ''}"
                for one in self.facts
                if one.state != "fine"
            ],
        }
