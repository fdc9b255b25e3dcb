"""What the commands tell Docker to do, and where a run takes place."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.platforms.compose.dotenv import missing, read
from bench.platforms.compose.place import place
from bench.preflight.settings import Settings
from tests.fakes.docker import FakeDocker
from tests.unit.containers.conftest import CONFIG, ONE, container, two_shards

Run = Callable[..., tuple[int, str, str]]
READY = {"Health": "healthy"}


TWO = ["DATABASE_URLS=postgresql://a postgresql://b"]


def told_of_second(docker: FakeDocker, when: str) -> set[str]:
    """What calls with these words were told in SECOND_SHARD."""
    return {told.get("SECOND_SHARD", "unset") for call, told in docker.told if when in call}


def started(docker: FakeDocker) -> str:
    """The one call of `docker compose up`."""
    (call,) = [call for call in docker.calls if call.startswith("compose up")]
    return call


def test_up_builds_starts_waits_and_says_where(docker: FakeDocker, run: Run) -> None:
    code, said, _ = run("up")
    assert code == 0
    assert "API       http://127.0.0.1:8000/stats" in said
    build = next(call for call in docker.calls if "build" in call)
    assert docker.calls.index(build) < docker.calls.index(started(docker))
    assert "--detach --wait " in started(docker)
    assert "--scale projector=1" in started(docker)


def test_up_starts_the_pooler_where_services_go_through_it(docker: FakeDocker, run: Run) -> None:
    through = copy.deepcopy(CONFIG)
    url = through["services"]["api"]["environment"]["DATABASE_URLS"]
    through["services"]["api"]["environment"]["DATABASE_URLS"] = url.replace("@postgres:", "@pooled-postgres:")
    docker.answer("config --format json", through)
    assert run("up")[0] == 0
    (call,) = [call for call in docker.calls if " up --detach" in call]
    assert call.startswith("compose --profile pooler up --detach --wait ")
    # A run names its image, which a profile that is not asked for leaves out.
    (asked,) = [call for call in docker.calls if " config " in call]
    assert "--profile pooler" in asked


def test_up_refuses_a_mode_that_no_pooler_has(docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_POOLER", "statement")
    code, _, said = run("up")
    assert (code, "STACK_POOLER='statement'" in said) == (2, True)
    assert [call for call in docker.calls if " up " in call] == []


def test_up_starts_the_second_server_where_services_are_led_to_it(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDS", "2")
    docker.answer("config --format json", two_shards())
    assert run("up")[0] == 0
    (call,) = [call for call in docker.calls if " up --detach" in call]
    assert call.startswith("compose --profile shards up --detach --wait ")
    assert told_of_second(docker, "config") == told_of_second(docker, "up --detach") == {"yes"}


@pytest.mark.parametrize(("asked", "told"), [("", "yes"), ("1", ""), ("2", "yes")])
def test_up_again_keeps_the_shards_unless_it_is_told(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch, asked: str, told: str
) -> None:
    monkeypatch.setenv("SHARDS", asked)
    docker.answer("ps --all", [container("api", **READY)])
    docker.answer("inspect --format {{json .Config.Env}}", TWO)
    assert run("up")[0] == 0
    assert told_of_second(docker, "config") == told_of_second(docker, "up --detach") == {told}


def test_up_refuses_more_shards_than_there_are_servers(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDS", "3")
    code, _, said = run("up")
    assert (code, "SHARDS='3' is not usable: expected 2 at most in the stack" in said) == (2, True)
    assert [call for call in docker.calls if " up " in call] == []


def test_up_refuses_a_pooler_before_two_shards(docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDS", "2")
    monkeypatch.setenv("STACK_POOLER", "session")
    through = two_shards()
    told = through["services"]["api"]["environment"]
    told["DATABASE_URLS"] = told["DATABASE_URLS"].replace("@postgres:", "@pooled-postgres:")
    docker.answer("config --format json", through)
    code, _, said = run("up")
    assert (code, "STACK_POOLER=" in said, "no value with SHARDS" in said) == (2, True, True)
    assert [call for call in docker.calls if " up " in call] == []


def test_scale_keeps_the_shards(docker: FakeDocker, run: Run) -> None:
    """A projector that were led to one store of two would be another shard's."""
    docker.answer("ps --all", [container("api", **READY), container("projector")])
    docker.answer("inspect --format {{json .Config.Env}}", TWO)
    docker.answer("up --detach", code=1, err="ERROR: far enough\n")
    assert run("scale", "2")[0] == 2
    assert told_of_second(docker, "up --detach") == {"yes"}


def test_up_makes_secrets_once(docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GRAFANA_PASSWORD")
    path = tmp_path / "project" / ".env"
    code, said, _ = run("up")
    assert (code, missing(path, os.environ)) == (0, [])
    assert "made .env" in said
    assert read(path)["STACK_CPUS"] == "3"
    before = path.read_text()
    docker.answer("volume ls", "tidemark_grafana\n")
    code, said, _ = run("up")
    assert (code, path.read_text()) == (0, before)
    assert ".env" not in said


def test_up_again_keeps_the_projectors(docker: FakeDocker, run: Run) -> None:
    entries = [container("projector", ID=str(number), **READY) for number in range(3)]
    docker.answer("ps --all", entries)
    assert run("up")[0] == 0
    assert "--scale projector=3" in started(docker)


@pytest.mark.parametrize("state", ["running", "exited"])
def test_projectors_of_another_image_end_before_the_schema_changes(docker: FakeDocker, run: Run, state: str) -> None:
    """The migration waits for those that run; Compose would replace them after it."""
    entries = [container("projector", ID=name, **{**READY, "State": state}) for name in ("first", "second")]
    docker.answer("ps --all", entries)
    docker.answer("inspect --format {{.Image}}", "sha256:former\n")
    docker.answer("image inspect --format {{.Id}} tidemark-projector", "sha256:new\n")
    assert run("up")[0] == 0
    assert "--scale projector=2" in started(docker)
    done = [call for call in docker.calls if "build" in call or call in ("compose stop projector", started(docker))]
    stopping = ["compose stop projector"] if state == "running" else []
    assert done[1:] == [*stopping, started(docker)]


def test_projectors_of_the_same_image_run_on(docker: FakeDocker, run: Run) -> None:
    docker.answer("ps --all", [container("projector", **READY)])
    docker.answer("inspect --format", "sha256:same\n")
    assert run("up")[0] == 0
    assert "compose stop projector" not in docker.calls


def test_projectors_by_setting(docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECTORS", "5")
    docker.answer("ps --all", container("projector", **READY))
    assert run("up")[0] == 0
    assert "--scale projector=5" in started(docker)


@pytest.mark.parametrize(("answer", "code", "dropped"), [("yes", 0, True), ("no", 1, False), ("", 1, False)])
def test_reset_asks(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, dropped: bool
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: answer)
    assert run("reset")[0] == code
    assert any("down --remove-orphans --volumes" in call for call in docker.calls) is dropped


def test_down_keeps_the_data(docker: FakeDocker, run: Run) -> None:
    assert run("down")[0] == 0
    (call,) = [call for call in docker.calls if " down " in call]
    assert "--volumes" not in call


def test_a_run_without_docker_is_embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert place({}) == ({}, "embedded: no stack is up")


@pytest.mark.parametrize("entries", [[], [container("postgres")], [container("api", Health="starting")]])
def test_a_run_without_a_ready_api_is_embedded(docker: FakeDocker, entries: list[dict[str, object]]) -> None:
    docker.answer("ps --all", entries)
    assert place(dict(os.environ)) == ({}, "embedded: no stack is up")


def test_a_run_where_docker_does_not_run_is_embedded(docker: FakeDocker) -> None:
    docker.answer("compose", code=1, err="Cannot connect to the Docker daemon\n")
    assert place(dict(os.environ)) == ({}, "embedded: no stack is up")


def test_an_address_that_is_given_wins(docker: FakeDocker) -> None:
    assert place({"BASE_URL": "http://127.0.0.1:9"})[0] == {}
    assert place({"DATABASE_URL": "postgresql://u@127.0.0.1/d"})[0] == {}
    assert docker.calls == []


def test_a_run_goes_into_the_stack_that_is_up(docker: FakeDocker) -> None:
    docker.answer("ps --all", [container("api", **READY), container("projector"), container("projector")])
    docker.answer("inspect", [*ONE, "API_PROCESSES=4", "API_POOL_SIZE", "PATH=/bin"])
    told, where = place(dict(os.environ))
    assert where == "in the stack at http://127.0.0.1:8000"
    assert told == {
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": "postgresql://tidemark_oracle:looks@127.0.0.1:5555/tidemark",
        "PROJECTORS": "2",
        "API_PROCESSES": "4",
    }
    assert place({**os.environ, "PROJECTORS": "7"})[0]["PROJECTORS"] == "7"


@pytest.mark.parametrize("asked", [{}, {"SHARDS": "2"}])
def test_a_run_in_a_stack_of_two_shards_is_told_both_stores(docker: FakeDocker, asked: dict[str, str]) -> None:
    of_two_shards(docker)
    told, where = place({**os.environ, **asked})
    assert where == "in the stack at http://127.0.0.1:8000"
    login = "postgresql://tidemark_oracle:looks@127.0.0.1"
    assert told["DATABASE_URLS"] == f"{login}:5555/tidemark {login}:5556/tidemark"
    assert "DATABASE_URL" not in told
    settings = Settings.from_env({**os.environ, **asked, **told})
    assert (settings.shards, len(settings.database_urls)) == (2, 2)
    assert told_of_second(docker, "config") == {"yes"}


@pytest.mark.parametrize(("asked", "has"), [("1", 2), ("2", 1), ("3", 2)])
def test_a_run_of_other_shards_than_the_stacks_is_embedded(docker: FakeDocker, asked: str, has: int) -> None:
    of_two_shards(docker)
    if has == 1:
        docker.answer("config --format json", CONFIG)
    assert place({**os.environ, "SHARDS": asked}) == ({}, f"embedded: SHARDS={asked}, and the stack has {has}")


def of_two_shards(docker: FakeDocker) -> None:
    """Let the stack be up, over two."""
    docker.answer("ps --all", [container("api", **READY), container("projector")])
    docker.answer("inspect", TWO)
    docker.answer("config --format json", two_shards())
