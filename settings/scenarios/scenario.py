"""Scenario: a workload that was read from a file and found sound."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from settings.catalogue.load import SCENARIO, SCENARIO_TEXT
from settings.scenarios.document import Load, Mix, Warmup


@dataclass(frozen=True)
class Scenario:
    """Phases and mixes of one workload, and its settings as environment variables.

    `text` is the file, as it was read; `shipped` is False for one's own.
    """

    name: str
    description: str
    settings: Mapping[str, str]
    phases: tuple[Warmup | Load, ...]
    mixes: Mapping[str, Mix]
    visibility_probe: bool
    text: str
    shipped: bool

    @property
    def staged(self) -> bool:
        """True when the number of users follows the phases."""
        return any(phase.users != 1 for phase in self.phases)

    @property
    def open_loop(self) -> bool:
        """True when RATE can set the arrivals: neither stages of users nor sequences of one user would keep to it."""
        return not self.staged and not any(mix.sequence for mix in self.mixes.values())

    @property
    def skewable(self) -> bool:
        """True when SKEW has a meaning: writers that draw what they write, updates among it."""
        return any("update" in mix.writes for mix in self.mixes.values())

    @property
    def extra_s(self) -> float:
        """The most seconds that the phases last beyond WARMUP and DURATION."""
        warmups = [phase for phase in self.phases if isinstance(phase, Warmup)]
        return sum(phase.seconds or phase.at_least_seconds for phase in warmups)

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text."""
        return f"sha256:{hashlib.sha256(self.text.encode()).hexdigest()}"

    def variables(self) -> dict[str, str]:
        """What another process is told, on this machine or another, to read just this scenario."""
        return {SCENARIO.name: self.name, SCENARIO_TEXT.name: "" if self.shipped else self.text}

    def digest_of_own(self) -> dict[str, str]:
        """What a result records beside the name of a scenario of one's own: its digest in the place of its text."""
        return {} if self.shipped else {SCENARIO_TEXT.name: self.digest}
