"""The second read model: what counts twice, never, or in another minute is caught by the oracle's own count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import asyncpg
import pytest

from projection.read_model import Event
from projection.statement.each.handler import EachHandler
from projection.statement.handler import Handler, SetHandler
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import UPDATED, Make, Stage, life
from tests.mutants.caught import AS_MADE, EACH_STRATEGY, Caught, Stages
from tests.mutants.plants import NO_GUARD, OVERWRITE
from tests.mutants.test_each import ALL_SEEN, overwrite, unguarded
from tests.read_models import BOTH, BOTH_NAMES
from todo.read_models import activity

PAUSE: Final = timedelta(seconds=30)
TODOS: Final = replace(BOTH[0], apply=overwrite)
BY_SET: Final = {
    "twice": activity.EFFECT.replace("count(*) FILTER", "2 * count(*) FILTER"),
    "never": activity.EFFECT.replace("FROM activity_minutes ORDER", "FROM activity_minutes WHERE false ORDER"),
    "in the hour": activity.EFFECT.replace("date_trunc('minute'", "date_trunc('hour'"),
}


@pytest.fixture
async def stages(urls: tuple[str, str]) -> AsyncIterator[Stages]:
    """Two empty stages with both read models."""
    async with Stage.on(urls[0], read_models=BOTH_NAMES) as real, Stage.on(urls[1], read_models=BOTH_NAMES) as mutant:
        yield Stages(real, mutant)


def by(strategy: Strategy, handler: Handler) -> Make:
    """Projectors with this handler."""
    return lambda tools: AS_MADE[strategy](replace(tools, handler=handler))


async def twice(connection: asyncpg.Connection, event: Event) -> None:
    """Counts each event, and then again."""
    await activity.apply(connection, event)
    await activity.apply(connection, event)


async def never(_connection: asyncpg.Connection, _event: Event) -> None:
    """Counts nothing."""


async def in_the_hour(connection: asyncpg.Connection, event: Event) -> None:
    """Counts in the first minute of the hour."""
    await activity.apply(connection, replace(event, recorded_at=event.recorded_at.replace(minute=0)))


BY_EACH: Final = {"twice": twice, "never": never, "in the hour": in_the_hour}


@EACH_STRATEGY
@pytest.mark.parametrize("how", BY_SET)
@pytest.mark.parametrize("handler", ["set", "each"])
async def test_wrong_counts(stages: Stages, strategy: Strategy, handler: str, how: str) -> None:
    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.sql("UPDATE events SET recorded_at = '2026-01-01 12:34:56+00'")
        await stage.catch_up(strategy=strategy, make=make)

    def made(which: str | None) -> Handler:
        if handler == "set":
            effect = BY_SET[which] if which else activity.EFFECT
            return SetHandler([BOTH[0], replace(BOTH[1], effect=effect)])
        return EachHandler([BOTH[0], replace(BOTH[1], apply=BY_EACH[which] if which else activity.apply)], pause=PAUSE)

    await stages.assert_caught(
        schedule,
        by(strategy, made(None)),
        by(strategy, made(how)),
        Caught({"mismatched_rows"}, "mismatched: activity of 2026-01-01 12:34:00+00:00 says"),
        strategy=strategy,
    )


@EACH_STRATEGY
@pytest.mark.parametrize("handler", ["set", "each"])
async def test_no_guard(stages: Stages, strategy: Strategy, handler: str) -> None:
    """A stream, or a window, of which the checkpoint has seen the first part."""

    async def schedule(stage: Stage, make: Make) -> None:
        await stage.append("todo-1", *life("a", "b"))
        await stage.catch_up(strategy=strategy)
        await stage.sql("UPDATE cursors SET position = 0")
        await stage.append("todo-1", UPDATED)
        await stage.catch_up(strategy=strategy, make=make)

    if handler == "set":
        parts = {**NO_GUARD[strategy], "effect": f"{OVERWRITE},{activity.EFFECT}"}
        mutant: Handler = SetHandler(BOTH, parts)
        real: Handler = SetHandler(BOTH)
    else:
        mutant = EachHandler([TODOS, BOTH[1]], pause=PAUSE, planted=ALL_SEEN, guard=unguarded)
        real = EachHandler(BOTH, pause=PAUSE)
    await stages.assert_caught(
        schedule,
        by(strategy, real),
        by(strategy, mutant),
        Caught({"duplicated", "mismatched_rows"}, "mismatched: activity of"),
        strategy=strategy,
    )
