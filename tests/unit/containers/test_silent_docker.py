"""A run needs no Docker: one that gives no answer is waited for within a bound, and passed over with a word."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.ends.bounded import NoAnswer
from bench.platforms.compose import compose, place
from bench.platforms.compose.compose import DockerSilent
from tests.fakes.docker import FakeDocker
from tests.unit.containers.conftest import container

Run = Callable[..., tuple[int, str, str]]
API = container("api", Health="healthy")


def replace(docker: FakeDocker, text: str | bytes) -> None:
    (docker.folder / "docker").write_bytes(text if isinstance(text, bytes) else text.encode())


def where() -> str:
    told, line = place.place(dict(os.environ))
    assert told == {}
    return line


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("#!/bin/sh\n/bin/sleep 600\n", "no answer within 0.5 s"),
        ("#!/bin/sh\n/bin/sleep 600 & wait\n", "no answer within 0.5 s"),
        ("#!/bin/sh\ntrap '' TERM INT HUP\n/bin/sleep 600 & wait; wait\n", "no answer within 0.5 s"),
        ("#!/bin/sh\necho garbage\n", "an answer that can not be read: 'garbage'"),
        ("#!/bin/sh\necho '[1]'\n", "an answer that can not be read: 1"),
        ("#!/bin/sh\necho '[{}]'\n", "an answer that can not be read: KeyError('ID')"),
        (b"#!/bin/sh\nprintf '\\377\\376'\n", "an answer that can not be read"),
        ("no program", "Exec format error"),
        ("#!/nonexistent/interpreter\n", "No such file or directory"),
    ],
)
def test_a_docker_without_an_answer_is_passed_over_with_a_word(
    program: str | bytes, said: str, docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "ANSWER_S", 0.5)
    replace(docker, program)
    line = where()
    assert line.startswith("embedded: Docker is passed over (`docker compose")
    assert said in line


def test_a_child_that_keeps_its_output_open_is_not_waited_for(docker: FakeDocker) -> None:
    replace(docker, "#!/bin/sh\n/bin/sleep 600 &\nexit 0\n")
    assert where() == "embedded: no stack is up"


@pytest.mark.parametrize("program", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\nexec kill -9 $$\n"])
def test_a_docker_that_fails_has_no_stack(program: str, docker: FakeDocker) -> None:
    replace(docker, program)
    assert where() == "embedded: no stack is up"


def test_a_docker_that_can_not_be_executed_is_none(docker: FakeDocker) -> None:
    (docker.folder / "docker").chmod(0o644)
    assert where() == "embedded: no stack is up"


def test_silence_in_the_middle_is_passed_over_too(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.answer("ps --all", [API])
    docker.answer("inspect", "garbage")
    assert where().startswith("embedded: Docker is passed over (`docker inspect`")


def test_an_address_that_is_given_needs_no_docker(docker: FakeDocker, monkeypatch: pytest.MonkeyPatch) -> None:
    silent(monkeypatch)
    assert place.at("http://127.0.0.1:9") is None


def test_a_run_that_was_sent_into_the_stack_does_not_go_on_without_docker(
    docker: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "_entered", set())
    docker.answer("ps --all", [API])
    docker.answer("inspect", ["PATH=/bin"])
    api = place.place(dict(os.environ))[0]["BASE_URL"]
    assert place.at(api) is not None
    silent(monkeypatch)
    with pytest.raises(DockerSilent, match=r"^docker: `docker compose`: no answer"):
        place.at(api)


def test_a_command_that_needs_docker_says_so_in_one_line(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compose, "ANSWER_S", 0.5)
    monkeypatch.setattr(compose.Compose.__init__, "__kwdefaults__", {"patience_s": 0.5})
    replace(docker, "#!/bin/sh\n/bin/sleep 600\n")
    code, _, said = run("ps")
    assert code == 2
    (line,) = said.strip().splitlines()
    assert line.startswith("docker: `docker version`: no answer within 0.5 s; restart Docker")


def test_docker_is_told_what_the_stack_reads_and_nothing_foreign(
    docker: FakeDocker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    replace(docker, f"#!/bin/sh\n/usr/bin/env > {seen}\n")
    given = {"COMPOSE_PROJECT_NAME": "mine", "DOCKER_HOST": "unix:///a", "STACK_API_PORT": "1", "VUS": "7"}
    foreign = {"HTTP_PROXY": "http://a", "PGHOST": "a", "PYTHONPATH": "/", "LOCUST_TAGS": "a", "GIT_DIR": "/"}
    for name, value in {**given, **foreign}.items():
        monkeypatch.setenv(name, value)
    where()
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert set(given) <= names
    assert not names & set(foreign)


def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(*_: object, **__: object) -> None:
        raise NoAnswer("no answer within 10 s")

    monkeypatch.setattr(compose, "ask", no_answer)
