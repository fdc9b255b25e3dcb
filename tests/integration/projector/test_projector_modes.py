"""All strategies make the same rows of the same history: alone, in company, and in turn."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from eventstore.events import NewEvent
from projection.operator import reset
from projection.ordering.stream_leases import StreamLeases
from settings import strategies
from settings.catalogue.projection import Strategy
from tests.integration.projector.stage import CREATED, DELETED, UPDATED, Moments, Stage, leased, life, until

MODES = pytest.mark.parametrize("serial", [False, True], ids=["parallel", "serial"])

HISTORY = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["write", "write", "delete", "catch up"])), max_size=40)
SIZES = st.fixed_dictionaries(
    {
        "streams_in_flight": st.integers(1, 4),
        "events_per_stream": st.integers(1, 4),
        "events_per_batch": st.integers(1, 6),
        "events_per_window": st.integers(1, 6),
    }
)


@effort(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORY, sizes=SIZES, turns=st.permutations(strategies.offered()))
async def test_all_strategies_make_the_same_rows(
    url: str, history: list[tuple[int, str]], sizes: dict[str, int], turns: list[Strategy]
) -> None:
    """One lives through the history; the others rebuild it."""
    first, *others = turns
    async with Stage.on(url) as stage:
        await live(stage, history, strategy=first, **sizes)
        await stage.catch_up(strategy=first, **sizes)
        await stage.assert_right(serial=strategies.is_serial(first))
        rows = await stage.rows()

        for strategy in others:
            await reset(stage.steps, None)
            await stage.catch_up(strategy=strategy, **sizes)

            await stage.assert_right(serial=strategies.is_serial(strategy))
            assert await stage.rows() == rows


@pytest.mark.parametrize("company", [1, 2, 4])
@pytest.mark.parametrize("strategy", strategies.offered())
@effort(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=HISTORY, sizes=SIZES)
async def test_any_number_of_projectors_keep_up_with_any_history(
    url: str, history: list[tuple[int, str]], sizes: dict[str, int], strategy: Strategy, company: int
) -> None:
    """They are at work while it is written, each on its own connections; an end of its work stops and replaces one."""
    async with Stage.on(url) as stage, AsyncExitStack() as stack:
        at_work = [await stack.enter_async_context(stage.projector(strategy=strategy, **sizes)) for _ in range(company)]
        deleted: set[str] = set()
        for number, (index, what) in enumerate(history):
            if what == "catch up":
                await at_work[number % len(at_work)].stop()
                at_work.append(await stack.enter_async_context(stage.projector(strategy=strategy, **sizes)))
            else:
                await write(stage, f"todo-{index}", f"text {number}", what, deleted)
        await until(stage.projected, "all events to be projected")
        await stage.assert_right(serial=strategies.is_serial(strategy))
        told = [one.strategy for one in (await stage.stats()).projectors]
        assert set(told) <= {strategy}


async def live(stage: Stage, history: list[tuple[int, str]], **options: Any) -> None:
    """Carry the history out; what a deleted todo can not do any more is left out."""
    deleted: set[str] = set()
    for number, (index, what) in enumerate(history):
        if what == "catch up":
            await stage.catch_up(**options)
        else:
            await write(stage, f"todo-{index}", f"text {number}", what, deleted)


async def write(stage: Stage, stream: str, content: str, what: str, deleted: set[str]) -> None:
    """One event of a history, if the todo can have it."""
    if stage.versions[stream] == 0:
        await stage.append(stream, *life(content))
    elif stream not in deleted and what == "delete":
        deleted.add(stream)
        await stage.append(stream, DELETED)
    elif stream not in deleted:
        await stage.append(stream, NewEvent("TodoUpdated", {"text": content}))


async def test_any_number_of_projectors_share_the_streams(stage: Stage) -> None:
    for number in range(40):
        await stage.append(f"todo-{number:02}", *life("a", "b", "c"))
    outcomes = []

    for company in (1, 2, 4):
        await reset(stage.steps, None)
        names = [f"{number}-of-{company}" for number in range(company)]
        async with AsyncExitStack() as stack:
            moments = [Moments(stop_at="claimed") for _ in names]
            for name, hook in zip(names, moments, strict=True):
                await stack.enter_async_context(
                    stage.projector(name=name, hook=hook, make=StreamLeases, streams_in_flight=10)
                )
                await hook.reached.wait()
            assert [(await stage.known(name)).leases_held for name in names] == [10] * company
            for hook in moments:
                hook.open.set()
            await until(stage.projected, "all events to be projected")
        known = [await stage.known(name) for name in names]
        assert all(one.events_projected > 0 for one in known)
        assert sum(one.events_projected for one in known) == 120
        assert [one.leases_held for one in known] == [0] * company
        await stage.assert_right()
        outcomes.append(await stage.rows())

    assert outcomes[0] == outcomes[1] == outcomes[2]


async def test_one_serial_projector_works_and_the_others_stand_by(stage: Stage) -> None:
    first, second = Moments(), Moments()
    async with stage.projector(serial=True, hook=first) as worker:
        await first.wait("idle")
        async with stage.projector(serial=True, hook=second) as standby:
            await second.wait("idle", times=3)
            await stage.append("todo-1", CREATED)
            await until(stage.projected, "the first to project")
            assert second.seen["claimed"] == 0

            await worker.stop()
            await stage.append("todo-1", UPDATED)
            await until(stage.projected, "the one that stood by to go on")

    assert await stage.writers() == [worker.name, standby.name]
    assert (await stage.known(standby.name)).takeovers == 0
    await stage.assert_right(serial=True)


async def test_the_mode_changes_and_changes_back_on_one_store(stage: Stage) -> None:
    await stage.append("todo-1", *life("a", "b"))
    await stage.append("todo-2", CREATED)
    await stage.catch_up()

    await stage.append("todo-1", UPDATED)
    await stage.append("todo-3", CREATED)
    await stage.catch_up(serial=True, name="walker")
    assert (await stage.known("walker")).duplicates == 3
    await stage.assert_right(serial=True)

    await stage.append("todo-2", UPDATED)
    await stage.append("todo-3", DELETED)
    await stage.catch_up()
    await stage.assert_right()

    await stage.catch_up(serial=True, name="walker")
    assert (await stage.known("walker")).duplicates == 5
    await stage.assert_right(serial=True)
    assert await stage.versions_projected() == {"todo-1": 3, "todo-2": 2, "todo-3": 2}


async def test_a_change_of_mode_ends_leases_and_blocks_of_streams(stage: Stage) -> None:
    await stage.append("todo-1", CREATED)
    await stage.append("todo-2", CREATED)
    await stage.sql("UPDATE streams SET blocked_at = clock_timestamp(), attempts = 2 WHERE stream = 'todo-1'")
    await stage.sql(
        "UPDATE streams SET holder = 'dead', leased_until = clock_timestamp() + interval '1 h' WHERE stream = 'todo-2'"
    )
    await stage.catch_up(serial=True)

    await stage.append("todo-1", UPDATED)
    await stage.append("todo-2", UPDATED)
    await stage.catch_up()

    await stage.assert_right()


async def test_both_modes_at_once_still_project_everything_once(stage: Stage) -> None:
    sizes: dict[str, Any] = {"events_per_stream": 2, "events_per_window": 3, "streams_in_flight": 2}
    async with stage.projector(serial=True, **sizes), stage.projector(serial=False, **sizes):
        for number in range(60):
            stream = f"todo-{number % 7}"
            await stage.append(stream, UPDATED if stage.versions[stream] else CREATED)
        await until(stage.projected, "all events to be projected")

    await stage.assert_right()


async def test_a_cursor_that_is_set_back_finds_only_duplicates(stage: Stage) -> None:
    for number in range(5):
        await stage.append(f"todo-{number}", *life("a", "b"))
    await stage.catch_up(serial=True)
    before = await stage.rows()

    await stage.sql("UPDATE cursors SET position = 0")
    await stage.catch_up(serial=True, name="walker", events_per_window=4)

    known = await stage.known("walker")
    assert (known.duplicates, known.events_projected) == (10, 0)
    assert await stage.rows() == before
    await stage.assert_right(serial=True)


@MODES
async def test_a_batch_takes_what_was_appended_since_the_claim(stage: Stage, serial: bool) -> None:
    await stage.append("todo-1", CREATED)
    hook = Moments(stop_at="claimed")
    async with stage.projector(serial=serial, hook=hook, make=leased(serial)):
        await hook.reached.wait()
        await stage.append("todo-1", UPDATED)
        hook.open.set()
        await until(stage.projected, "both events to be projected")

    assert len(await stage.writers()) == 1
    await stage.assert_right(serial=serial)
