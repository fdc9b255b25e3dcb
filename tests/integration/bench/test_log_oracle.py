"""Tidemark asked at level `log`, through its own API: sound where the store is, and the same counts over each fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from bench.ends.errors import RunFailed
from bench.oracle.log import verify
from bench.oracle.log.verify import verify_log
from metrics.records.verification import Verification
from tests.cluster import Cluster
from tests.integration.api.server import ApiServer, serve
from tests.integration.projector.open_append import begin
from tests.integration.projector.stage import Stage, faults, life

LIVE: Final = [f"todo-{number:032x}" for number in range(40)]
ENDED: Final = [f"todo-{number:032x}" for number in range(100, 110)]
ONE, OTHER, GONE = LIVE[5], LIVE[7], ENDED[0]

AUDIT: Final = """
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ('{}', {}, {}, 1, 'p', 1, now())"""
TALLY: Final = "UPDATE todo_tallies SET {} WHERE slot = (SELECT min(slot) FROM todo_tallies)"
UNAUDIT: Final = "DELETE FROM projection_audit WHERE stream = '{}'"
COUNT: Final = "UPDATE tallies SET projected = projected + {} WHERE slot = (SELECT min(slot) FROM tallies)"
STRAY: Final = f"todo-{'f' * 32}"

# What is done to a store in which all is projected, and what either level counts then.
PLANTED: Final[Mapping[str, tuple[list[str], dict[str, int]]]] = {
    "nothing": ([], {}),
    "last event took no effect": (
        [
            f"UPDATE todos SET text = 'b', version = 2, applied = 2 WHERE id = '{ONE}'",
            UNAUDIT.format(ONE),
            AUDIT.format(ONE, 1, 2),
            COUNT.format(-1),
        ],
        {"lost": 1, "mismatched_rows": 1},
    ),
    "an event in the middle took no effect": (
        [
            f"UPDATE todos SET applied = 2 WHERE id = '{ONE}'",
            UNAUDIT.format(ONE),
            AUDIT.format(ONE, 1, 1),
            AUDIT.format(ONE, 3, 3),
            COUNT.format(-1),
        ],
        {"lost": 1},
    ),
    "no event took effect": (
        [
            f"DELETE FROM todos WHERE id = '{ONE}'",
            UNAUDIT.format(ONE),
            COUNT.format(-3),
            TALLY.format("todos = todos - 1, active = active - 1"),
        ],
        {"lost": 3, "mismatched_rows": 1},
    ),
    "doubled": (
        [f"UPDATE todos SET applied = 4 WHERE id = '{ONE}'", AUDIT.format(ONE, 2, 2), COUNT.format(1)],
        {"duplicated": 1},
    ),
    "doubled, and the audit does not know": (
        [f"UPDATE todos SET applied = 5 WHERE id = '{ONE}'"],
        {"duplicated": 2},
    ),
    "text": ([f"UPDATE todos SET text = 'x' WHERE id = '{OTHER}'"], {"mismatched_rows": 1}),
    "a row without events": (
        [
            f"INSERT INTO todos SELECT '{STRAY}', text, created_at, updated_at, 1, false, 1 FROM todos LIMIT 1",
            TALLY.format("todos = todos + 1, active = active + 1"),
        ],
        {"phantom": 1},
    ),
    "a version without an event": (
        [
            f"UPDATE todos SET version = 4, applied = 4 WHERE id = '{ONE}'",
            AUDIT.format(ONE, 4, 4),
            COUNT.format(1),
        ],
        {"phantom": 1, "mismatched_rows": 1},
    ),
    "shown though it is deleted": (
        [f"UPDATE todos SET deleted = false WHERE id = '{GONE}'", TALLY.format("active = active + 1")],
        {"mismatched_rows": 1},
    ),
    "no history": (
        [f"UPDATE events SET data = '[]' WHERE stream = '{ONE}' AND version = 2"],
        {"mismatched_rows": 1},
    ),
    "a counter": ([TALLY.format("active = active + 1")], {"mismatched_rows": 1}),
}


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    return cluster.create()


@pytest.fixture(scope="module")
def api(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with serve(url, tmp_path_factory.mktemp("api")) as server:
        yield server


@pytest.fixture
async def stage(url: str) -> AsyncIterator[Stage]:
    """Todos that live and todos that ended, with a few events each."""
    async with Stage.on(url) as stage:
        histories = [(stream, life("a", "b", "c")) for stream in LIVE]
        histories += [(stream, life("a", "b", deleted=True)) for stream in ENDED]
        await asyncio.gather(*(stage.append(stream, *events) for stream, events in histories))
        yield stage


async def at_log(api: ApiServer, *, complete: bool = True, **options: object) -> Verification:
    """The proof over HTTP, in a thread: it is as synchronous as a run of the bench."""
    return await asyncio.to_thread(verify_log, str(api.client.base_url), complete=complete, applied=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PLANTED)
async def test_both_levels_count_the_same(stage: Stage, api: ApiServer, name: str) -> None:
    statements, expected = PLANTED[name]
    await stage.catch_up()
    for statement in statements:
        await stage.sql(statement)
    store, log = await stage.oracle(), await at_log(api)
    assert (faults(store), faults(log)) == (expected, expected), (store.offenders, log.offenders)
    assert store.correctness.events_checked == log.correctness.events_checked == 150
    assert (store.level, log.level) == ("store", "log")


async def test_both_levels_count_the_same_over_concurrent_writes(stage: Stage, api: ApiServer) -> None:
    """Writes from many sides while a projector is at work: both read every event, and neither finds fault."""

    def write(number: int) -> tuple[str, int]:
        stream = api.create(f"text {number}")
        for round in range(3):
            api.client.put(f"/todos/{stream}", json={"text": f"text {number} {round} ✓"})
        if number % 3 == 0:
            return stream, int(api.client.delete(f"/todos/{stream}").headers["etag"].strip('"'))
        return stream, 4

    async with stage.projector():
        with ThreadPoolExecutor(8) as pool:
            acknowledged = await asyncio.to_thread(lambda: list(pool.map(write, range(40))))
    await stage.catch_up()
    store, log = await stage.oracle(), await at_log(api, acknowledged=acknowledged)
    assert (faults(store), faults(log)) == ({}, {}), (store.offenders, log.offenders)
    assert store.correctness == log.correctness
    assert log.correctness.events_checked == 150 + 40 * 4 + 14


async def test_what_is_not_projected_is_no_fault_of_a_run_that_did_not_converge(stage: Stage, api: ApiServer) -> None:
    await stage.catch_up()
    await stage.append(ONE, *life("x", "d", "e")[1:])
    store, log = await stage.oracle(complete=False), await at_log(api, complete=False)
    assert (faults(store), faults(log)) == ({}, {})
    assert (store.unprojected, log.unprojected) == (2, 2)
    assert "did not converge" in log.not_seen
    claimed = await at_log(api)
    assert faults(claimed) == faults(await stage.oracle()) == {"lost": 2, "mismatched_rows": 1}
    await stage.sql(f"UPDATE todos SET text = 'x' WHERE id = '{ONE}'")
    assert faults(await at_log(api, complete=False)) == faults(await stage.oracle(complete=False))


async def test_what_the_log_alone_can_lack(stage: Stage, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is gone from the log, and writes that were acknowledged and are in no log."""
    monkeypatch.setattr(verify, "LATE_S", 0.2)
    await stage.catch_up()
    await stage.sql(f"DELETE FROM events WHERE stream = '{ONE}' AND version = 2")
    acknowledged = [(OTHER, 5), (LIVE[0], 3), (STRAY, 1)]
    found = await at_log(api, acknowledged=acknowledged)
    # One version missing and three acknowledged; the counter of events that knows of the first.
    assert faults(found) == {"lost": 4, "mismatched_rows": 1}
    for line in (
        f"lost: 1 versions of {ONE} are not in the log, 2 the first of them",
        "mismatched: eventCount says 150, the log has 149",
        f"lost: version 5 of {OTHER} was acknowledged, and the log ends at 3",
        f"lost: version 1 of {STRAY} was acknowledged, and the log ends at 0",
    ):
        assert line in found.offenders


async def test_a_writer_under_way_holds_the_log_back_and_accuses_nobody(
    stage: Stage, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's transaction is open before acknowledged writes, beyond the end of the proof; then it ends."""
    monkeypatch.setattr(verify, "LATE_S", 0.2)
    await stage.catch_up()
    async with begin(stage, STRAY, 1) as stranger:
        made = await asyncio.to_thread(api.create, "behind it")
        await stage.append(ONE, *life("x", "d")[1:])
        await stage.append(OTHER, *life("x", deleted=True)[1:])
        await stage.catch_up()
        acknowledged = [(made, 1), (ONE, 4), (OTHER, 4)]
        with pytest.raises(
            RunFailed, match=r"the log ends 3 events before what /stats counts.*a writer may be under way"
        ):
            await at_log(api, acknowledged=acknowledged)
        unclaimed = await at_log(api, complete=False, acknowledged=acknowledged)
        assert faults(unclaimed) == {}, unclaimed.offenders
        assert "3 events" in unclaimed.not_seen
        # What the rest of the log proves is a fault all the same, and that alone.
        await stage.sql(f"UPDATE todos SET text = 'z' WHERE id = '{LIVE[0]}'")
        proven = await at_log(api, acknowledged=acknowledged)
        assert faults(proven) == {"mismatched_rows": 1}, proven.offenders
        assert "3 events" in proven.not_seen
        await stage.sql(f"UPDATE todos SET text = 'c' WHERE id = '{LIVE[0]}'")
        await stranger.roll_back()
    sound = await at_log(api, acknowledged=acknowledged)
    assert faults(sound) == {}, sound.offenders
    assert "3 events" not in sound.not_seen
