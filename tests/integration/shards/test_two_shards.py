"""Two shards behind one API and one projector: each stream in its place, answers as if there were one store."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bench.oracle.read_store import shard_of
from bench.oracle.verify import verify_all
from tests.cluster import as_role
from tests.integration.api.server import ROOT, ApiServer, api_environment, assert_problem, until
from tests.integration.shards.conftest import addresses

pytestmark = pytest.mark.usefixtures("projector")


def caught_up(api: ApiServer) -> bool:
    return bool(api.stats()["backlog"] == 0)


def command(urls: list[str], *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """An operator's command over both, or as the variables have it."""
    told = {"DATABASE_URLS": addresses("operator", urls), **variables}
    return subprocess.run(
        [sys.executable, "-m", "services.projector", *words],
        cwd=ROOT,
        env=api_environment(as_role("operator", urls[0]), 1, **told),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


async def fetch(url: str, statement: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(statement, *values)
        return found
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def todos(api: ApiServer) -> list[str]:
    """Thirty todos over both shards."""
    made = [api.create(f"text {number}") for number in range(30)]
    assert {shard_of(id, 2) for id in made} == {0, 1}
    return made


async def test_each_stream_lies_in_its_shard_and_nowhere_else(
    api: ApiServer, urls: list[str], todos: list[str]
) -> None:
    for number, url in enumerate(urls):
        there = {row["stream"] for row in await fetch(url, "SELECT stream FROM streams")} & set(todos)
        assert there == {id for id in todos if shard_of(id, 2) == number}
    for id in todos:
        version = api.client.put(f"/todos/{id}", json={"text": "second"}, headers={"If-Match": '"1"'})
        assert version.json()["version"] == 2
        read = api.client.get(f"/todos/{id}", params={"at_least_version": 2, "wait": 10_000})
        assert read.json()["text"] == "second"


@pytest.mark.parametrize("key", ["a", "b", "c", "d"])
async def test_a_repeated_create_makes_one_todo(api: ApiServer, urls: list[str], key: str) -> None:
    with_key = {"Idempotency-Key": f"once-{key}"}
    answers = [api.client.post("/todos", json={"text": "once"}, headers=with_key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    (document,) = {json.dumps(answer.json(), sort_keys=True) for answer in answers}
    stream = json.loads(document)["stream"]
    counts = [(await fetch(url, "SELECT count(*) FROM events WHERE stream = $1", stream))[0][0] for url in urls]
    assert counts[shard_of(stream, 2)] == 1
    assert sum(counts) == 1
    assert_problem(api.client.post("/todos", json={"text": "other"}, headers=with_key), 409, "key-reused")


def test_pages_are_merged_in_the_order_of_the_ids(api: ApiServer, todos: list[str]) -> None:
    until(lambda: caught_up(api), "all events to be projected")
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = api.client.get("/todos", params={"limit": 7, "after": after}).json()
        seen += [todo["id"] for todo in page["todos"]]
        after = page["next"]
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)
    assert set(todos) <= set(seen)


async def test_stats_are_the_sums_of_both(api: ApiServer, urls: list[str], todos: list[str]) -> None:
    until(lambda: caught_up(api), "all events to be projected")
    stats = api.stats()
    events = [(await fetch(url, "SELECT count(*) FROM events"))[0][0] for url in urls]
    assert min(events) > 0
    assert stats["eventCount"] == stats["totalEventsProjected"] == sum(events)
    assert stats["activeTodos"] == stats["totalTodos"] >= len(todos)
    (one,) = stats["projectors"]
    assert one["alive"]
    assert one["eventsProjected"] == sum(events)


def test_each_shard_has_a_log_of_its_own(api: ApiServer, todos: list[str]) -> None:
    problem = assert_problem(api.client.get("/events"), 400, "malformed-request")
    assert "there are 2 shards" in problem["detail"]
    assert_problem(api.client.get("/events", params={"shard": 2}), 404)
    for number in range(2):
        events = api.client.get("/events", params={"shard": number, "limit": 1000}).json()["events"]
        assert {shard_of(event["stream"], 2) for event in events} == {number}
        assert [event["position"] for event in events] == sorted(event["position"] for event in events)


def test_the_projector_says_how_it_is_over_both(health: Path) -> None:
    until(lambda: health.exists() and json.loads(health.read_text())["why_not"] == "", "the projector to be ready")


async def test_the_oracle_folds_both_and_finds_a_stream_that_lies_in_the_wrong_one(
    api: ApiServer, urls: list[str], todos: list[str]
) -> None:
    until(lambda: caught_up(api), "all events to be projected")
    found, latencies = await verify_all(urls, complete=True, serial=False)
    assert found.correctness.events_checked == api.events() == latencies.get_total_count()
    assert found.correctness.faults == 0
    assert found.unprojected == 0

    swapped, _ = await verify_all(urls[::-1], complete=True, serial=False)
    assert swapped.correctness.mismatched_rows == api.stats()["streamCount"] + 2
    assert "by its hash slot" in " ".join(swapped.offenders)


def test_a_command_goes_to_the_shard_of_its_stream_and_else_to_each(
    api: ApiServer, urls: list[str], todos: list[str]
) -> None:
    until(lambda: caught_up(api), "all events to be projected")
    for id in (next(id for id in todos if shard_of(id, 2) == number) for number in range(2)):
        done = command(urls, "reset", id, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["shard"] == shard_of(id, 2)
    done = command(urls, "recount", "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["shard"] for line in done.stdout.splitlines()] == [0, 1]
    done = command(urls, "recount", "--shard", "1", "--json")
    assert [json.loads(line)["shard"] for line in done.stdout.splitlines()] == [1]
    until(lambda: caught_up(api), "all events to be projected again")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("recount", "--shard", "2"), "--shard"),
        (("reset", "--all", "--after", "todo-1"), "--after"),
    ],
)
def test_a_command_that_names_no_shard_there_is_refused(urls: list[str], words: tuple[str, ...], named: str) -> None:
    done = command(urls, *words)
    assert done.returncode == 2
    assert named in done.stderr


def test_a_command_on_one_shard_as_if_it_were_all_is_refused(urls: list[str]) -> None:
    done = command(urls, "recount", DATABASE_URLS=as_role("operator", urls[1]), DATABASE_URL="")
    assert done.returncode == 2
    assert "the store is shard 1 of 2, and is reached as shard 0 of 1" in done.stderr


def test_addresses_in_another_order_are_refused_at_the_start(urls: list[str], tmp_path: Path) -> None:
    for program, role in (("services.api", "api"), ("services.projector", "projector")):
        done = subprocess.run(
            [sys.executable, "-m", program],
            cwd=ROOT,
            env=api_environment("", 1, DATABASE_URLS=addresses(role, urls[::-1])),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 2, done.stderr
        assert "the store is shard 1 of 2, and is reached as shard 0 of 2" in done.stderr
        assert "DATABASE_URLS" in done.stderr


async def test_a_pinned_projector_serves_its_shard_alone(
    api: ApiServer, urls: list[str], todos: list[str], projector: subprocess.Popen[bytes]
) -> None:
    until(lambda: caught_up(api), "the other projector to have nothing in hand")
    projector.send_signal(signal.SIGSTOP)
    try:
        made = [api.create(f"pinned {number}") for number in range(20)]
        assert {shard_of(id, 2) for id in made} == {0, 1}
        done = command(
            urls, "--once", DATABASE_URLS=addresses("projector", urls), DATABASE_URL="", PROJECTOR_SHARDS="1"
        )
        assert done.returncode == 0, done.stderr
        for number, url in enumerate(urls):
            rows = await fetch(url, "SELECT version, projected FROM streams WHERE stream = ANY ($1)", made)
            assert {(row["version"], row["projected"]) for row in rows} == {(1, 1 if number == 1 else 0)}
    finally:
        projector.send_signal(signal.SIGCONT)
    until(lambda: caught_up(api), "the rest to be projected by the other one")


async def test_a_store_that_becomes_another_shard_while_it_is_served_is_not_written(
    api: ApiServer, urls: list[str], todos: list[str]
) -> None:
    """As where a name leads to another server after a restore."""
    mine, others = (next(id for id in todos if shard_of(id, 2) == number) for number in (1, 0))

    def answer() -> int:
        return api.client.put(f"/todos/{mine}", json={"text": "lost"}).status_code

    await fetch(urls[1], "UPDATE shard SET number = 0")
    try:
        until(lambda: answer() == 503, "the shard to be refused")
        assert "the store is shard 0 of 2" in " ".join(api.stats()["unsound"])
        assert api.client.put(f"/todos/{others}", json={"text": "goes on"}).status_code == 200
        assert api.client.get("/readyz").status_code == 200
    finally:
        await fetch(urls[1], "UPDATE shard SET number = 1")
    until(lambda: answer() == 200, "the shard to be served again")
