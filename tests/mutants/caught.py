"""One schedule, played twice: the oracle finds nothing wrong with the system as it is, and catches the mutant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pytest

from projection.statement.handler import SetHandler
from projection.strategy import OrderingStrategy, Tools
from settings import plugins, strategies
from settings.catalogue.projection import STRATEGY, Strategy
from tests.integration.projector.stage import Make, Stage, Unchecked, faults
from tests.read_models import READ_MODELS

EACH_STRATEGY: Final = pytest.mark.parametrize("strategy", strategies.offered())
STREAM_STRATEGIES: Final = pytest.mark.parametrize(
    "strategy", [one for one in strategies.offered() if not strategies.is_serial(one)]
)

AS_MADE: Final[Mapping[Strategy, Callable[[Tools], OrderingStrategy]]] = {
    name: plugins.load(STRATEGY.name, STRATEGY.package, name).MAKE for name in strategies.offered()
}

Schedule = Callable[[Stage, Make], Awaitable[None]]
"""What happens on a stage, with a projector that works as `Make` says."""

AS_IT_IS: Final[Mapping[str, str]] = {}


def with_parts(tools: Tools, parts: Mapping[str, str]) -> Tools:
    """The same tools, but for a statement with some parts planted."""
    return replace(tools, handler=SetHandler(READ_MODELS, parts))


def planted(strategy: Strategy, parts: Mapping[str, str] = AS_IT_IS) -> Make:
    """Projectors whose statement has these parts planted; none: the system as it is."""
    make = AS_MADE[strategy]
    return lambda tools: make(with_parts(tools, parts))


@dataclass(frozen=True)
class Caught:
    """What the oracle has to find: these kinds of faults and no others, and a line with this in it."""

    faults: set[str]
    line: str


@dataclass(frozen=True)
class Stages:
    """Where the system as it is plays, and where the mutant does."""

    real: Stage
    mutant: Stage

    async def assert_caught(
        self,
        schedule: Schedule,
        real: Make,
        mutant: Make,
        caught: Caught,
        *,
        strategy: Strategy,
        complete: bool = True,
    ) -> None:
        """Play the schedule with both. `complete` claims to the oracle that everything is projected."""
        serial = strategies.is_serial(strategy)
        await schedule(self.real, real)
        await self.real.assert_right(complete=complete, serial=serial)

        self.mutant.check = Unchecked()
        await schedule(self.mutant, mutant)
        found = await self.mutant.oracle(complete=complete, serial=serial)
        assert faults(found).keys() == caught.faults, found.offenders
        assert any(caught.line in offender for offender in found.offenders), found.offenders
