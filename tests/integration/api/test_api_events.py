"""`GET /events`: the whole log in its order, and no event is missed by a reader that goes on from the last one."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.integration.api.server import ApiServer, assert_problem

INSERT = "INSERT INTO events (stream, version, type, data) VALUES ($1, 1, 'TodoCreated', '{\"text\": \"x\"}')"


def page(api: ApiServer, **query: int) -> dict[str, Any]:
    answer = api.client.get("/events", params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert set(document) == {"events", "next"}
    return document


def end(api: ApiServer) -> int:
    """The last position now."""
    return max((event["position"] for event in page(api, limit=1000)["events"]), default=0)


def test_the_log_page_by_page(api: ApiServer) -> None:
    before = end(api)
    first, second = api.create("a"), api.create("b")
    api.client.put(f"/todos/{first}", json={"text": "c 🍞"})
    api.client.delete(f"/todos/{second}")

    seen, after = [], before
    while True:
        read = page(api, after=after, limit=2)
        assert len(read["events"]) <= 2
        seen += read["events"]
        if (after := read["next"]) is None:
            break
        assert after == seen[-1]["position"]
    assert [(event["stream"], event["version"], event["type"], event["data"]) for event in seen] == [
        (first, 1, "TodoCreated", {"text": "a"}),
        (second, 1, "TodoCreated", {"text": "b"}),
        (first, 2, "TodoUpdated", {"text": "c 🍞"}),
        (second, 2, "TodoDeleted", {}),
    ]
    positions = [event["position"] for event in seen]
    assert positions == sorted(set(positions))
    assert set(seen[0]) == {"position", "stream", "version", "type", "data", "recordedAt"}
    moments = [datetime.fromisoformat(event["recordedAt"]) for event in seen]
    assert moments == sorted(moments)
    assert moments[0].utcoffset() == timedelta()
    assert page(api, after=positions[-1]) == {"events": [], "next": None}
    assert page(api, after=2**53 - 1) == {"events": [], "next": None}
    assert page(api, shard=0) == page(api)


async def test_an_event_that_commits_late_is_not_passed(url: str, api: ApiServer) -> None:
    """Its position is lower than one that is committed already: neither is told before both can be."""
    before = end(api)
    late = await asyncpg.connect(url)
    await late.execute("BEGIN")
    await late.execute(INSERT, "late")
    created = await asyncio.to_thread(api.create)
    told = await asyncio.to_thread(page, api, after=before)
    assert told == {"events": [], "next": None}
    await late.execute("COMMIT")
    await late.close()
    told = await asyncio.to_thread(page, api, after=before)
    assert [event["stream"] for event in told["events"]] == ["late", created]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1001", "limit=x", "limit=", "after=-1", "after=x", "after=", f"after={2**53}", "after=1.5"),
        *("shard=-1", "shard=256", "shard=x", "shard=", "shard=null", "shard=0.5"),
    ],
)
def test_a_page_out_of_bounds(api: ApiServer, query: str) -> None:
    problem = assert_problem(api.client.get(f"/events?{query}"), 400)
    assert query.split("=", maxsplit=1)[0] in problem["detail"]


async def test_positions_that_are_not_sound_are_told_and_nothing_is_read(url: str, api: ApiServer) -> None:
    """A sequence that was set back: what is below its newest event could be anything."""
    api.create()
    owner = await asyncpg.connect(url)
    given = await owner.fetchval("SELECT pg_sequence_last_value('events_position_seq')")
    await owner.execute("SELECT setval('events_position_seq', 1)")
    problem = assert_problem(await asyncio.to_thread(api.client.get, "/events"), 503, "store-unsound")
    assert "below the newest event" in problem["detail"]
    await owner.execute("SELECT setval('events_position_seq', $1)", given)
    assert (await asyncio.to_thread(api.client.get, "/events")).status_code == 200
    await owner.close()
