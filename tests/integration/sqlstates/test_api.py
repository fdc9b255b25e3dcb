"""Each class of SQLSTATE, through the API: what passes is 503 with Retry-After, and is over when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.integration.api.server import ApiServer, assert_problem, serve, until
from tests.integration.sqlstates.trouble import database_setting, locked, raised


@pytest.fixture(scope="module")
def api(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A running API, whose statements may take a second."""
    with serve(url, Path(tmp_path_factory.mktemp("api")), STORE_TIMEOUT_MS="1000") as server:
        yield server


@contextmanager
def planted(url: str, code: str, times: int = 10**9) -> Iterator[None]:
    """Appends meet the SQLSTATE."""
    with asyncio.Runner() as runner:
        trouble = raised(url, "events", code, times=times)
        runner.run(trouble.__aenter__())
        try:
            yield
        finally:
            runner.run(trouble.__aexit__(None, None, None))


def stored(url: str, text: str) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM events WHERE data ->> 'text' = $1", text))
        finally:
            await connection.close()

    return asyncio.run(count())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *((code, "store-busy") for code in ("40001", "40P01", "55006", "57014", "72000", "XX000")),
        *((code, "store-unavailable") for code in ("08006", "25006", "28000", "3D000", "40003", "53100", "57P01")),
        *((code, "store-unavailable") for code in ("26000", "55000", "58030")),
    ],
)
def test_what_passes_is_told_as_such_and_nothing_is_written(url: str, api: ApiServer, code: str, name: str) -> None:
    with planted(url, code):
        answer = api.client.post("/todos", json={"text": f"planted {code}"})
        problem = assert_problem(answer, 503, name)
        assert answer.headers["retry-after"] == "1"
        assert ("Nothing was written" in problem["detail"]) == (name == "store-busy")
    assert stored(url, f"planted {code}") == 0
    api.create(f"planted {code}")
    assert stored(url, f"planted {code}") == 1


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "25006"])
def test_what_passes_soon_is_not_seen(url: str, api: ApiServer, code: str) -> None:
    with planted(url, code, times=1):
        api.create(f"once {code}")
    assert stored(url, f"once {code}") == 1


@pytest.mark.parametrize("code", ["21000", "22012", "23514", "44000", "54000", "P0001"])
def test_a_poison_is_refused_for_what_it_is(url: str, api: ApiServer, code: str) -> None:
    with planted(url, code):
        problem = assert_problem(api.client.post("/todos", json={"text": "bad"}), 422, "invalid-event")
        assert f"planted {code}" in problem["detail"]


@pytest.mark.parametrize("code", ["0A000", "42883", "HV000", "XX001"])
def test_a_defect_is_a_defect(url: str, api: ApiServer, code: str) -> None:
    with planted(url, code):
        assert_problem(api.client.post("/todos", json={"text": "bad"}), 500)
    api.create()


def test_a_table_that_somebody_has(url: str, api: ApiServer) -> None:
    """With the `lock_timeout` of a DBA, the append is tried for as long as a statement may take, and then refused."""
    with asyncio.Runner() as runner:
        limit = database_setting(url, "lock_timeout", "100ms")
        lock = locked(url, "events")
        runner.run(limit.__aenter__())
        runner.run(lock.__aenter__())
        try:
            assert_problem(api.client.post("/todos", json={"text": "locked"}), 503, "store-busy")
        finally:
            runner.run(lock.__aexit__(None, None, None))
            runner.run(limit.__aexit__(None, None, None))
    assert stored(url, "locked") == 0
    api.create()


def test_a_server_that_became_read_only_and_came_back(url: str, api: ApiServer) -> None:
    """Reads go on; the sessions that they leave behind are read-only for ever, and no write is refused for one."""
    place = f"/todos/{api.create()}"
    with asyncio.Runner() as runner:
        setting = database_setting(url, "default_transaction_read_only", "on")
        runner.run(setting.__aenter__())
        try:
            for _ in range(3):
                answer = api.client.put(place, json={"text": "bread"})
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "1"
                assert api.client.get("/stats").status_code == 200
            assert api.client.get("/readyz").status_code == 503
        finally:
            runner.run(setting.__aexit__(None, None, None))
    until(lambda: written(api, place), "the API to look again")
    assert all(written(api, place) for _ in range(20))
    assert api.client.get("/readyz").status_code == 200


def test_sessions_that_were_opened_while_it_was_read_only(url: str, api: ApiServer) -> None:
    """Whoever looks does not ask the same session again: it would say for ever what was so when it began."""
    place = f"/todos/{api.create()}"
    with asyncio.Runner() as runner:
        setting = database_setting(url, "default_transaction_read_only", "on")
        runner.run(setting.__aenter__())
        try:
            until(lambda: "read-only" in api.client.get("/readyz").text, "the API to say so")
            with ThreadPoolExecutor(8) as callers:
                assert {answer.status_code for answer in callers.map(api.client.get, ["/todos"] * 80)} == {200}
            assert api.client.put(place, json={"text": "bread"}).status_code == 503
            assert api.client.get("/readyz").status_code == 503
        finally:
            runner.run(setting.__aexit__(None, None, None))
    until(lambda: api.client.get("/readyz").status_code == 200, "the API to be ready")
    until(lambda: written(api, place), "the API to look again")


def test_a_database_that_lets_nobody_in(url: str, api: ApiServer) -> None:
    """What the server answers to who connects is the reason, and no wait is needed when it is over."""
    name = url.rpartition("/")[2]
    with asyncio.Runner() as runner:
        admin = runner.run(asyncpg.connect(url.removesuffix(name) + "postgres"))
        try:
            runner.run(admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            runner.run(
                admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            )
            until(lambda: "at work (SQLSTATE 55000)" in api.client.get("/readyz").text, "the server's reason")
            assert_problem(api.client.get("/readyz"), 503, "not-ready")
            assert_problem(api.client.post("/todos", json={"text": "milk"}), 503, "store-unavailable")
        finally:
            runner.run(admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
            runner.run(admin.close())
    assert api.client.get("/readyz").status_code == 200
    api.create()


def written(api: ApiServer, place: str) -> bool:
    return api.client.put(place, json={"text": "bread"}).status_code == 200
