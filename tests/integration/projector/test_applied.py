"""`applied` of a todo: counted by whoever applies, in the transaction of the effect, in every strategy and handler."""

from __future__ import annotations

from typing import Literal

import pytest

from projection import operator
from settings import strategies
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import POISON, UPDATED, Stage, life

BOTH = pytest.mark.parametrize("handler", ["set", "each"])
EACH = pytest.mark.parametrize("strategy", strategies.offered())
Handler = Literal["set", "each"]


async def applied(stage: Stage) -> dict[str, tuple[int, int]]:
    """Of each todo its version, and how many events took effect in it."""
    return {row["id"]: (row["version"], row["applied"]) for row in await stage.rows()}


@EACH
@BOTH
async def test_every_event_counts_once_over_batches_and_a_rebuild(
    stage: Stage, strategy: Strategy, handler: Handler
) -> None:
    serial = strategies.is_serial(strategy)
    await stage.append("a", *life("1", "2"))
    await stage.append("b", *life("1"))
    await stage.catch_up(strategy=strategy, handler=handler)
    await stage.append("a", UPDATED, UPDATED)
    await stage.append("b", *life("1", "2", deleted=True)[1:])
    await stage.catch_up(strategy=strategy, handler=handler)
    assert await applied(stage) == {"a": (4, 4), "b": (3, 3)}
    await operator.reset(stage.steps, "a")
    await stage.catch_up(strategy=strategy, handler=handler)
    await operator.reset(stage.steps, None)
    await stage.catch_up(strategy=strategy, handler=handler)
    assert await applied(stage) == {"a": (4, 4), "b": (3, 3)}
    await stage.assert_right(serial=serial)


@EACH
@BOTH
async def test_what_is_skipped_took_no_effect(stage: Stage, strategy: Strategy, handler: Handler) -> None:
    await stage.append("a", *life("1"), POISON, UPDATED)
    await stage.catch_up(strategy=strategy, handler=handler)
    await operator.skip(stage.steps, "a")
    await stage.catch_up(strategy=strategy, handler=handler)
    assert await applied(stage) == {"a": (3, 2)}
    # By the row as by the audit: it is lost once.
    assert (await stage.oracle(serial=strategies.is_serial(strategy))).correctness.lost == 1
