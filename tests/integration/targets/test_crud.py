"""Targets `crud`, its variant `grouped`, and `empty`: the contract by a row, and exact counts beside many writers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from targets.crud.migrate import migrate
from tests.cluster import Cluster
from tests.integration.api.server import UNKNOWN, ApiServer, assert_problem
from tests.integration.targets.program import program

KINDS = ("crud", "crud:grouped", "empty")
WRITERS = 8
MEDIA = "unsupported-media-type"


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    """A database with the table, made twice."""
    url = cluster.create(migrated=False)
    for _ in range(2):
        asyncio.run(migrate(url))
    return url


@pytest.fixture(scope="module", params=KINDS)
def api(request: pytest.FixtureRequest, url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """Each of them, running."""
    name, _, commits = request.param.partition(":")
    told = {"CRUD_COMMITS": commits} if commits else {}
    with program(f"targets.{name}.api", url, tmp_path_factory.mktemp(name), **told) as server:
        yield server


def counts(api: ApiServer) -> dict[str, Any]:
    """What /stats tells of the counts."""
    told = api.stats()
    assert set(told) == {"eventCount", "totalEventsProjected", "totalTodos", "activeTodos", "backlog"}
    assert (told["totalEventsProjected"], told["backlog"]) == (told["eventCount"], 0)
    return told


def test_a_life(api: ApiServer) -> None:
    before = counts(api)
    created = api.client.post("/todos", json={"text": " milk\n"})
    assert created.status_code == 201
    assert created.json() == {"stream": created.json()["stream"], "version": 1}
    place = created.headers["location"]
    assert (place, created.headers["etag"]) == (f"/todos/{created.json()['stream']}", '"1"')
    updated = api.client.put(place, json={"text": "bread 🍞"})
    assert (updated.status_code, updated.json()["version"], updated.headers["etag"]) == (200, 2, '"2"')
    shown = api.client.get(place)
    assert (shown.json()["text"], shown.json()["version"], shown.headers["etag"]) == ("bread 🍞", 2, '"2"')
    assert api.client.get(place, params={"at_least_version": 2}).json() == shown.json()
    assert_problem(api.client.get(place, params={"at_least_version": 3, "wait": 20}), 504, "not-projected-yet")
    deleted = api.client.delete(place)
    assert (deleted.status_code, deleted.headers["etag"], deleted.content) == (204, '"3"', b"")
    for answer in (api.client.get(place), api.client.put(place, json={"text": "eggs"}), api.client.delete(place)):
        assert_problem(answer, 404, "todo-not-found")
    after = counts(api)
    assert {name: after[name] - before[name] for name in before} == {
        **{"eventCount": 3, "totalEventsProjected": 3, "totalTodos": 1, "activeTodos": 0, "backlog": 0}
    }


def test_a_version_that_was_not_expected_writes_nothing(api: ApiServer) -> None:
    stream = api.create()
    place, before = f"/todos/{stream}", counts(api)
    other = {"If-Match": '"7"'}
    for answer in (
        api.client.put(place, json={"text": "eggs"}, headers=other),
        api.client.delete(place, headers=other),
    ):
        problem = assert_problem(answer, 409, "version-conflict")
        assert (problem["stream"], problem["expectedVersion"], problem["actualVersion"]) == (stream, 7, 1)
    assert counts(api) == before
    assert api.client.put(place, json={"text": "eggs"}, headers={"If-Match": '"1"'}).json()["version"] == 2
    assert api.client.delete(place, headers={"If-Match": '"2"'}).status_code == 204
    unknown = api.client.put(f"/todos/{UNKNOWN}", json={"text": "eggs"}, headers={"If-Match": '"1"'})
    assert_problem(unknown, 404, "todo-not-found")


def test_what_can_not_be_taken_is_refused(api: ApiServer) -> None:
    before = counts(api)
    assert_problem(api.client.post("/todos", json={"text": " "}), 422, "invalid-text")
    assert_problem(api.client.post("/todos", content=b"{"), 400, "malformed-request")
    assert_problem(api.client.post("/todos", content=b"x", headers={"Content-Type": "text/plain"}), 415, MEDIA)
    assert_problem(api.client.post("/todos", json={"text": "x" * 40_000}), 413)
    assert counts(api) == before


def test_pages_give_each_todo_once(api: ApiServer) -> None:
    kept = {api.create(str(number)) for number in range(7)}
    gone = api.create()
    api.client.delete(f"/todos/{gone}")
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = api.client.get("/todos", params={"limit": 3, "after": after}).json()
        assert len(page["todos"]) <= 3
        seen += [todo["id"] for todo in page["todos"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    assert kept <= set(seen)
    assert gone not in seen


def test_writers_of_one_todo_each_get_a_version_of_their_own_and_all_are_counted(api: ApiServer) -> None:
    stream, before = api.create(), counts(api)

    def write(number: int) -> int:
        api.create(str(number))
        return int(api.client.put(f"/todos/{stream}", json={"text": str(number)}).json()["version"])

    with ThreadPoolExecutor(WRITERS) as pool:
        versions = list(pool.map(write, range(WRITERS * 10)))
    assert sorted(versions) == list(range(2, WRITERS * 10 + 2))
    last = api.client.get(f"/todos/{stream}").json()
    assert (last["version"], last["text"]) == (max(versions), str(versions.index(max(versions))))
    after = counts(api)
    assert after["eventCount"] - before["eventCount"] == 2 * WRITERS * 10
    assert after["totalTodos"] - before["totalTodos"] == WRITERS * 10


def test_what_is_told_is_what_the_table_has(api: ApiServer, url: str) -> None:
    """After all that the tests before have written, beside each other and by another process before this one."""

    async def rows() -> tuple[int, int, int]:
        connection = await asyncpg.connect(url)
        try:
            return tuple(await connection.fetchrow("SELECT sum(version), count(*), sum((NOT deleted)::int) FROM todos"))
        finally:
            await connection.close()

    told = counts(api)
    assert told["activeTodos"] <= told["totalTodos"] <= told["eventCount"]
    if "crud" in api.log.name:
        assert (told["eventCount"], told["totalTodos"], told["activeTodos"]) == asyncio.run(rows())


def test_several_processes_tell_the_same(url: str, tmp_path: Path) -> None:
    with program("targets.crud.api", url, tmp_path, API_PROCESSES="2") as api:
        before = counts(api)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(api.create, map(str, range(WRITERS * 3))))
        assert counts(api)["eventCount"] - before["eventCount"] == WRITERS * 3


def test_without_its_tables_it_is_not_ready_and_says_what_to_do(cluster: Cluster, tmp_path: Path) -> None:
    with program("targets.crud.api", cluster.create(migrated=False), tmp_path, waits_for=503) as api:
        for answer in (api.client.get("/readyz"), api.client.post("/todos", json={"text": "milk"})):
            problem = assert_problem(answer, 503, "not-ready")
            assert "targets.crud.migrate" in problem["detail"]
            assert answer.headers["retry-after"]


def test_without_its_database_it_refuses_and_may_be_asked_again(url: str, tmp_path: Path) -> None:
    nowhere = f"{url.rpartition('/')[0].rpartition(':')[0]}:1/none"
    with program("targets.crud.api", nowhere, tmp_path, waits_for=503) as api:
        assert_problem(api.client.get("/readyz"), 503, "not-ready")
        answer = api.client.post("/todos", json={"text": "milk"})
        assert_problem(answer, 503, "store-unavailable")
        assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("module", "variables", "named"),
    [
        ("targets.crud.api", {"CRUD_COMMITS": "never"}, "CRUD_COMMITS"),
        ("targets.empty.api", {"API_PROCESSES": "2"}, "API_PROCESSES"),
        ("targets.empty.api", {"EMPTY_TODOS": "-1"}, "EMPTY_TODOS"),
    ],
)
def test_a_setting_that_can_not_be_used_is_named(module: str, variables: dict[str, str], named: str) -> None:
    from settings import SettingError
    from targets.crud import api as crud
    from targets.empty import api as empty

    read: Any = crud.read if "crud" in module else empty.read
    with pytest.raises(SettingError, match=named):
        read({"DATABASE_URL": "postgresql://nobody@127.0.0.1/none", **variables})
