"""The life of todos over HTTP: writes, reads of the projection, expected versions, idempotency keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from tests.integration.api.server import UNKNOWN, ApiServer, assert_problem

pytestmark = pytest.mark.usefixtures("projector")


def test_a_life(api: ApiServer) -> None:
    created = api.client.post("/todos", json={"text": " milk\n"})
    assert created.status_code == 201
    assert set(created.json()) == {"stream", "version", "position"}
    place = created.headers["location"]
    assert place == f"/todos/{created.json()['stream']}"
    assert created.headers["etag"] == '"1"'

    first = api.client.get(place, params={"at_least_version": 1})
    assert first.status_code == 200
    assert set(first.json()) == {"id", "text", "createdAt", "updatedAt", "version", "applied"}
    assert (first.json()["id"], first.json()["text"], first.json()["version"]) == (place[7:], " milk\n", 1)

    updated = api.client.put(place, json={"text": "bread 🍞"})
    assert (updated.status_code, updated.json()["version"], updated.headers["etag"]) == (200, 2, '"2"')
    assert updated.json()["position"] > created.json()["position"]

    second = api.client.get(place, params={"at_least_version": 2})
    assert (second.json()["text"], second.json()["version"], second.headers["etag"]) == ("bread 🍞", 2, '"2"')
    made, changed = (datetime.fromisoformat(second.json()[name]) for name in ("createdAt", "updatedAt"))
    assert made < changed
    assert made.utcoffset() == timedelta()

    deleted = api.client.delete(place)
    assert (deleted.status_code, deleted.headers["etag"], deleted.content) == (204, '"3"', b"")
    assert_problem(api.client.get(place, params={"at_least_version": 3}), 404, "todo-not-found")
    assert_problem(api.client.put(place, json={"text": "eggs"}), 404, "todo-not-found")
    assert_problem(api.client.delete(place), 404, "todo-not-found")


def test_pages_give_each_active_todo_once(api: ApiServer) -> None:
    kept = {api.create(str(n)) for n in range(7)}
    gone = api.create()
    api.client.delete(f"/todos/{gone}")
    for stream in kept:
        assert api.client.get(f"/todos/{stream}?at_least_version=1").status_code == 200
    assert api.client.get(f"/todos/{gone}?at_least_version=2").status_code == 404

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = api.client.get("/todos", params={"limit": 3, "after": after}).json()
        assert set(page) == {"todos", "next"}
        assert len(page["todos"]) <= 3
        seen += [todo["id"] for todo in page["todos"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    assert kept <= set(seen)
    assert gone not in seen
    assert [todo["id"] for todo in api.client.get("/todos").json()["todos"]] == seen


def test_a_version_that_does_not_come_times_out(api: ApiServer) -> None:
    stream = api.create()
    for target, wait in [(stream, 0), (stream, 30), (UNKNOWN, 30)]:
        answer = api.client.get(f"/todos/{target}", params={"at_least_version": 99, "wait": wait})
        assert_problem(answer, 504, "not-projected-yet")


def test_a_deletion_is_seen_while_waiting(api: ApiServer) -> None:
    stream = api.create()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(api.client.get, f"/todos/{stream}", params={"at_least_version": 2, "wait": 10_000})
        api.client.delete(f"/todos/{stream}")
        assert_problem(answer.result(), 404, "todo-not-found")


def test_if_match(api: ApiServer) -> None:
    place = f"/todos/{api.create()}"
    assert api.client.put(place, json={"text": "a"}, headers={"If-Match": '"1"'}).json()["version"] == 2
    events = api.events()
    for stale in ('"1"', '"0"', '"3"', '"999999999"'):
        for answer in (
            api.client.put(place, json={"text": "b"}, headers={"If-Match": stale}),
            api.client.delete(place, headers={"If-Match": stale}),
        ):
            problem = assert_problem(answer, 409, "version-conflict")
            assert (problem["actualVersion"], problem["expectedVersion"]) == (2, int(stale.strip('"')))
    assert api.events() == events
    assert api.client.put(place, json={"text": "c"}, headers={"If-Match": "*"}).json()["version"] == 3
    assert api.client.delete(place, headers={"If-Match": '"3"'}).headers["etag"] == '"4"'


def test_of_writers_with_one_expected_version_one_wins(api: ApiServer) -> None:
    place = f"/todos/{api.create()}"
    with ThreadPoolExecutor(10) as pool:
        jobs = [
            pool.submit(api.client.put, place, json={"text": str(n)}, headers={"If-Match": '"1"'}) for n in range(10)
        ]
        assert sorted(job.result().status_code for job in jobs) == [200] + [409] * 9


def test_a_key_replays_the_first_answer(api: ApiServer) -> None:
    def write(method: str, path: str, key: str, text: str | None = None) -> tuple[int, str, str | None]:
        body = None if text is None else {"text": text}
        answer = api.client.request(method, path, json=body, headers={"Idempotency-Key": key})
        return answer.status_code, answer.text, answer.headers.get("etag")

    first = write("POST", "/todos", "create", "milk")
    assert first == write("POST", "/todos", "create", "milk")
    place = "/todos/" + first[1].split('"')[3]
    update = write("PUT", place, "update", "bread")
    assert write("PUT", place, "other", "eggs")[0] == 200
    assert update == write("PUT", place, "update", "bread")
    delete = write("DELETE", place, "delete")
    assert delete[0] == 204
    events = api.events()
    assert delete == write("DELETE", place, "delete")
    assert update == write("PUT", place, "update", "bread")
    assert first == write("POST", "/todos", "create", "milk")
    assert write("DELETE", place, "new key")[0] == 404
    assert api.events() == events


def test_a_key_with_other_content_is_refused(api: ApiServer) -> None:
    key = {"Idempotency-Key": "~ used !"}
    place = f"/todos/{api.create('milk', **key)}"
    events = api.events()
    for answer in (
        api.client.post("/todos", json={"text": "bread"}, headers=key),
        api.client.put(place, json={"text": "milk"}, headers=key),
        api.client.delete(place, headers=key),
    ):
        assert_problem(answer, 409, "key-reused")
    assert api.events() == events


def test_one_key_at_the_same_moment_creates_one_todo(api: ApiServer) -> None:
    events = api.events()
    with ThreadPoolExecutor(20) as pool:
        streams = set(pool.map(lambda _: api.create("milk", **{"Idempotency-Key": "at once"}), range(20)))
    assert len(streams) == 1
    assert api.events() == events + 1


def test_writers_of_one_todo_all_have_their_turn(api: ApiServer) -> None:
    place = f"/todos/{api.create()}"
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: api.client.put(place, json={"text": str(n)}), range(60)))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 62))
