"""What an operator asks: statistics, drain, health, metrics, the schema, and the id of a request."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.cluster import Cluster
from tests.integration.api.server import ApiServer, assert_problem, serve, until

FIELDS = {
    "totalEventsProjected", "totalTodos", "activeTodos", "lastEvents", "lastEventInStore", "lastProjectedEvent",
    "eventIdLag", "backlog", "oldestUnprojectedAgeMs", "blockedStreams", "eventCount", "streamCount", "drainCount",
    "serialProjection", "strategies", "handlers", "readModels", "projectors",
    "observedAt", "lastEventAt", "lastProjectedAt", "blocked",
    "oldestSnapshot", "lowestAnnouncement", "deadStreams", "unsound",
}  # fmt: skip


def test_stats_name_the_writer_that_holds_the_watermark_back(cluster: Cluster, folder: Path) -> None:
    url = cluster.create()
    with serve(url, folder) as api, asyncio.Runner() as runner:
        writer = runner.run(stalled_writer(url))
        stats = api.stats()
        assert stats["lowestAnnouncement"].items() >= {"kind": "session", "name": "import", "behind": 1}.items()
        assert stats["lowestAnnouncement"]["pid"] == writer.get_server_pid()
        assert stats["oldestSnapshot"]["pid"] == writer.get_server_pid()
        runner.run(writer.close())
        until(lambda: api.stats()["lowestAnnouncement"] is None, "the writer to be gone")


async def stalled_writer(url: str) -> asyncpg.Connection:
    writer = await asyncpg.connect(url, server_settings={"application_name": "import"})
    await writer.execute("BEGIN")
    await writer.execute("INSERT INTO events (stream, version, type, data) VALUES ('slow', 1, 'A', '{}')")
    return writer


def test_stats_of_an_empty_store(cluster: Cluster, folder: Path) -> None:
    url = cluster.create()
    with serve(url, folder, SERIAL_PROJECTION="true") as api:
        stats = api.stats()
    assert set(stats) == FIELDS
    assert {value for value in stats.values() if type(value) in (int, float)} == {0}
    assert (stats["lastEventAt"], stats["lastProjectedAt"], stats["lastEvents"], stats["blocked"]) == (
        None,
        None,
        [],
        [],
    )
    assert stats["serialProjection"] is True
    assert stats["strategies"] == []


def test_stats_before_projection(api: ApiServer) -> None:
    before = api.stats()
    stream = api.create()
    api.client.put(f"/todos/{stream}", json={"text": "bread"})
    after = api.stats()
    assert after["eventCount"] == before["eventCount"] + 2
    assert after["streamCount"] == before["streamCount"] + 1
    assert after["backlog"] == before["backlog"] + 2
    assert after["lastEventInStore"] - after["lastProjectedEvent"] == after["eventIdLag"] > 0
    assert after["oldestUnprojectedAgeMs"] > 0
    assert datetime.fromisoformat(after["lastEventAt"]) < datetime.fromisoformat(after["observedAt"])


@pytest.mark.usefixtures("projector")
def test_stats_after_projection(api: ApiServer) -> None:
    streams = [api.create() for _ in range(12)]
    api.client.delete(f"/todos/{streams[0]}")
    until(lambda: api.stats()["backlog"] == 0, "the projection")
    stats = api.stats()
    assert stats["totalEventsProjected"] == stats["eventCount"]
    assert stats["totalTodos"] == stats["streamCount"]
    assert stats["activeTodos"] == stats["totalTodos"] - 1
    assert stats["oldestUnprojectedAgeMs"] == stats["eventIdLag"] == stats["blockedStreams"] == 0
    assert len(stats["lastEvents"]) == 10
    assert set(stats["lastEvents"][0]) == {
        "position", "stream", "version", "type", "recordedAt", "projectedAt", "projector", "epoch",
    }  # fmt: skip
    (projector,) = stats["projectors"]
    assert set(projector) == {
        "holder", "mode", "strategy", "handler", "readModels",
        "alive", "startedAt", "seenAt", "leasesHeld", "eventsProjected", "duplicates",
        "batches", "claims", "takeovers", "lastTakeoverAt", "sessions", "fenced", "timeLimits", "listening",
        "connectionsOpen", "connectionsUsed", "connectionsAwaited", "waiting",
    }  # fmt: skip
    assert (projector["alive"], projector["mode"]) == (True, "parallel")
    assert [projector["strategy"]] == stats["strategies"] == ["stream-leases"]
    until(lambda: api.stats()["projectors"][0]["eventsProjected"] == stats["eventCount"], "the projector's count")


def test_stats_for_many_at_once_are_as_new_as_their_calls(api: ApiServer) -> None:
    def write_and_look(_: int) -> bool:
        before = api.stats()["eventCount"]
        api.create()
        return bool(api.stats()["eventCount"] > before)

    with ThreadPoolExecutor(10) as pool:
        assert all(pool.map(write_and_look, range(100)))


def test_drains_at_once_are_coalesced_and_counted(api: ApiServer) -> None:
    before = api.stats()["drainCount"]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: api.client.post("/drain"), range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert all(answer.json()["accepted"] is True for answer in answers)
    counted = [answer.json()["coalesced"] for answer in answers].count(False)
    assert 1 <= counted < 100
    assert api.stats()["drainCount"] == before + counted


def test_health(api: ApiServer) -> None:
    assert api.client.get("/livez").json() == {"status": "alive"}
    assert api.client.get("/readyz").json() == {"status": "ready"}


def test_a_store_without_schema_is_not_ready(cluster: Cluster, folder: Path) -> None:
    with serve(cluster.create(migrated=False), folder) as api:
        assert "migrations upgrade" in assert_problem(api.client.get("/readyz"), 503, "not-ready")["detail"]
        for answer in (api.client.get("/todos"), api.client.get("/stats"), api.client.post("/drain")):
            assert_problem(answer, 503, "not-migrated")
            assert answer.headers["retry-after"] == "1"
        assert api.client.post("/todos", json={"text": "a"}).status_code == 503


def test_metrics(api: ApiServer) -> None:
    def count(labels: str) -> float:
        text = api.client.get("/metrics").text
        found = re.search(rf"^http_request_duration_seconds_count{{{labels}}} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    created = 'method="POST",route="/todos",status="201"'
    refused = 'method="GET",route="/todos/{stream}",status="404"'
    nowhere = 'method="other",route="unmatched",status="404"'
    before = count(created), count(refused), count(nowhere)
    api.create()
    api.client.get("/todos/x")
    api.client.get("/todos/y")
    api.client.request("PURGE", "/coffee")
    assert (count(created), count(refused), count(nowhere)) == (before[0] + 1, before[1] + 2, before[2] + 1)


def told(api: ApiServer) -> dict[str, str]:
    """The metrics that have no label."""
    return dict(re.findall(r"^(tidemark_\w+) (\S+)$", api.client.get("/metrics").text, re.MULTILINE))


def test_metrics_of_store_and_projection(api: ApiServer) -> None:
    api.create()
    # A projector may be at work between the two looks.
    until(lambda: float(told(api)["tidemark_backlog_events"]) == api.stats()["backlog"], "the same backlog")
    values, stats = told(api), api.stats()
    assert float(values["tidemark_store_up"]) == 1
    assert float(values["tidemark_events"]) == stats["eventCount"] > 0
    assert float(values["tidemark_blocked_streams"]) == stats["blockedStreams"]


def test_the_schema_names_every_route_and_refusal(api: ApiServer) -> None:
    schema = api.client.get("/schema").json()
    assert schema["openapi"].startswith("3.1")
    operations = {(method, path) for path, methods in schema["paths"].items() for method in methods}
    assert operations == {
        ("get", "/todos"), ("post", "/todos"), ("get", "/todos/{stream}"), ("put", "/todos/{stream}"),
        ("delete", "/todos/{stream}"), ("get", "/stats"), ("post", "/drain"), ("get", "/livez"), ("get", "/readyz"),
        ("get", "/metrics"), ("get", "/events"),
    }  # fmt: skip
    put = schema["paths"]["/todos/{stream}"]["put"]
    assert {"200", "400", "404", "409", "413", "415", "422", "503"} <= set(put["responses"])
    assert put["requestBody"]["content"]["application/json"]["schema"]["required"] == ["text"]
    assert {"If-Match", "Idempotency-Key"} <= {parameter["name"] for parameter in put["parameters"]}


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2:3_4", True), ("x" * 64, True), ("x" * 65, False), ("a b", False)]
)
def test_a_usable_request_id_is_kept(api: ApiServer, given: str, kept: bool) -> None:
    answer = api.client.get("/nowhere", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.json()["requestId"] == answer.headers["x-request-id"]


def test_each_request_has_an_id_of_its_own(api: ApiServer) -> None:
    assert len({api.client.get("/livez").headers["x-request-id"] for _ in range(20)}) == 20


def test_a_connection_serves_many_requests(api: ApiServer) -> None:
    with httpx.Client(base_url=api.client.base_url) as client:
        assert {client.get("/livez").status_code for _ in range(50)} == {200}
