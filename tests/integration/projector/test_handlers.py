"""Both handlers, every strategy, both read models: the same history makes the same rows, and the oracle agrees."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projection.operator import reset
from tests.integration.projector.stage import Stage
from tests.integration.projector.test_projector_modes import HISTORY, SIZES, live
from tests.read_models import BOTH_NAMES

WAYS = [*product(("set", "each"), ("global-order", "stream-leases", "stream-locks"))]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORY, sizes=SIZES, first=st.sampled_from(WAYS), rest=st.permutations(WAYS))
async def test_every_handler_and_strategy_makes_the_same_rows(
    url: str, history: list[tuple[int, str]], sizes: dict[str, int], first: tuple[str, str], rest: list[tuple[str, str]]
) -> None:
    async with Stage.on(url, read_models=BOTH_NAMES) as stage:
        await live(stage, history, **way(first), **sizes)
        await stage.catch_up(**way(first), **sizes)
        await assert_right(stage, first)
        rows, minutes = await stage.rows(), await stage.minutes()

        for another in rest[:3]:
            await reset(stage.steps, None)
            assert (await stage.rows(), await stage.minutes()) == ([], [])
            await stage.catch_up(**way(another), **sizes)
            await assert_right(stage, another)
            assert (await stage.rows(), await stage.minutes()) == (rows, minutes)


def way(chosen: tuple[str, str]) -> dict[str, Any]:
    """The settings of a way to project."""
    handler, strategy = chosen
    return {"handler": handler, "strategy": strategy}


async def assert_right(stage: Stage, chosen: tuple[str, str]) -> None:
    """The oracle finds nothing wrong."""
    await stage.assert_right(serial=chosen[1] == "global-order")
