"""The API as a process: several workers, the end by SIGTERM, a store that goes away, settings that can not be used."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest

from bench.platforms.postgres.binaries import find_identity
from bench.platforms.postgres.cluster import Cluster, free_port
from tests.cluster import prepare
from tests.integration.api.server import PATIENCE_S, ROOT, ApiServer, api_environment, assert_problem, serve, until


def each_on_its_own_connection(
    api: ApiServer, method: str, path: str, times: int, **arguments: object
) -> list[httpx.Response]:
    def send(_: int) -> httpx.Response:
        with httpx.Client(base_url=api.client.base_url, timeout=20) as client:
            return client.request(method, path, **arguments)  # type: ignore[arg-type]

    with ThreadPoolExecutor(20) as pool:
        return list(pool.map(send, range(times)))


def test_two_workers_are_one_api(url: str, folder: Path) -> None:
    with serve(url, folder, API_PROCESSES="2") as api:
        place = f"/todos/{api.create()}"
        updates = each_on_its_own_connection(api, "PUT", place, 60, json={"text": "bread"})
        assert sorted(answer.json()["version"] for answer in updates) == list(range(2, 62))

        keyed = {"json": {"text": "milk"}, "headers": {"Idempotency-Key": "two workers"}}
        creates = each_on_its_own_connection(api, "POST", "/todos", 40, **keyed)
        assert len({answer.text for answer in creates}) == 1

        counted = 'http_request_duration_seconds_count{method="PUT",route="/todos/{stream}",status="200"} 60.0'
        until(
            lambda: all(counted in each.text for each in each_on_its_own_connection(api, "GET", "/metrics", 10)),
            "each worker to tell the requests of both",
        )
        assert api.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_requests_under_way_finish(url: str, folder: Path, number: int) -> None:
    async def stop_while_a_write_waits() -> httpx.Response:
        blocker, watcher = await asyncpg.connect(url), await asyncpg.connect(url)
        async with httpx.AsyncClient(base_url=api.client.base_url, timeout=20) as client:
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE events IN EXCLUSIVE MODE")
                write = asyncio.create_task(client.post("/todos", json={"text": "last words"}))
                while not await watcher.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                api.process.send_signal(number)
                until(lambda: "Shutting down" in api.log.read_text(), "the shutdown to begin")
            answer = await write
        assert await watcher.fetchval("SELECT count(*) FROM events WHERE stream = $1", answer.json()["stream"]) == 1
        await blocker.close()
        await watcher.close()
        return answer

    with serve(url, folder) as api:
        assert asyncio.run(stop_while_a_write_waits()).status_code == 201
        assert api.process.wait(PATIENCE_S) == 0


def test_the_log_is_json_lines(url: str, folder: Path) -> None:
    with serve(url, folder, LOG_LEVEL="debug") as api:
        api.client.get("/todos/x", headers={"X-Request-Id": "look-for-me"})
        api.stop()
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "look-for-me"]
    assert (line["event"], line["path"], line["status"], line["level"]) == ("request", "/todos/x", 404, "debug")


def test_a_store_that_goes_away_and_comes_back(folder: Path) -> None:
    with Cluster.throwaway("test") as cluster:
        url = cluster.create_database("away")
        asyncio.run(prepare(url))
        with serve(url, folder) as api:
            place = f"/todos/{api.create()}"
            cluster.process.send_signal(signal.SIGINT)
            cluster.process.wait(PATIENCE_S)
            for _ in range(2):
                assert_unavailable(api, place)
            identity = find_identity(cluster.binaries)
            again = subprocess.Popen(cluster.process.args, cwd=cluster.folder, user=identity.uid, group=identity.gid)
            try:
                until(lambda: api.client.get("/readyz").status_code == 200, "the store to be seen again")
                assert api.client.put(place, json={"text": "bread"}).json()["version"] == 2
                assert api.events() == 2
                assert api.stop() == 0
            finally:
                again.send_signal(signal.SIGINT)
                again.wait(PATIENCE_S)


def assert_unavailable(api: ApiServer, place: str) -> None:
    """Every route that needs the store says so, and none reveals its address."""
    client = api.client
    assert client.get("/livez").status_code == 200
    detail = assert_problem(client.get("/readyz"), 503, "not-ready")["detail"]
    assert detail == "the store can not be reached: no connection, or no answer in time"
    for answer in (
        client.post("/todos", json={"text": "a"}),
        client.put(place, json={"text": "a"}),
        client.delete(place),
        client.get(place),
        client.get(place, params={"at_least_version": 1}),
        client.get("/todos"),
        client.get("/stats"),
        client.post("/drain"),
        client.post("/drain"),
    ):
        problem = assert_problem(answer, 503, "store-unavailable")
        assert answer.headers["retry-after"] == "1"
        assert "127.0.0.1" not in problem["detail"]


def run(environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "services.api"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "mysql://a:secret@b/c"),
        ("DATABASE_URL", "postgresql://a:secret@127.0.0.1:1/t"),
        ("API_PORT", "0"),
        ("API_PORT", "x"),
        ("API_HOST", "203.0.113.1"),
        ("API_HOST", "no.such.host.invalid"),
        ("API_PROCESSES", "0"),
        ("API_POOL_SIZE", "-1"),
        ("SERIAL_PROJECTION", "maybe"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_that_can_not_be_used_ends_at_once(url: str, variable: str, value: str) -> None:
    code, said = run({**api_environment(url, free_port()), variable: value})
    assert code == 2
    assert len(said.splitlines()) == 1
    assert variable in said
    assert "secret" not in said


def test_a_port_in_use_ends_at_once(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = run(api_environment(url, port))
    assert (code, len(said.splitlines())) == (2, 1)
    assert f"API_PORT='{port}'" in said
    assert "in use" in said


@pytest.mark.parametrize("processes", [1, 2])
def test_one_process_keeps_its_metrics_in_no_file_that_a_full_disk_would_end_it_by(
    url: str, tmp_path: Path, processes: int
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with serve(url, tmp_path, API_PROCESSES=str(processes), TMPDIR=str(scratch)) as api:
        assert api.client.get("/todos/none").status_code == 404
        counted = 'http_request_duration_seconds_count{method="GET",route="/todos/{stream}",status="404"} 1.0'
        until(lambda: counted in api.client.get("/metrics").text, "the request to be counted")
        files = {file.suffix for file in scratch.rglob("*") if file.is_file()}
        assert files == ({".db"} if processes > 1 else set())
