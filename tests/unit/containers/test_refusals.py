"""What can be wrong with the stack: one line each, with what to do, and exit code 2."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.fakes.docker import FakeDocker
from tests.unit.containers.conftest import CONFIG, container

Run = Callable[..., tuple[int, str, str]]


def complaint(outcome: tuple[int, str, str]) -> str:
    """The one line of a refusal."""
    code, _, said = outcome
    assert code == 2
    (line,) = said.strip().splitlines()
    return line


@pytest.fixture
def observer() -> Iterator[int]:
    """An InfluxDB that refuses the token `t` and is ill for any other, and a Grafana that is ill."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401 if self.headers["Authorization"] == "Token t" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Door) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", ["up", "down", "ps", "logs", "scale"])
def test_no_docker(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    line = complaint(run(command))
    assert line.startswith("docker: is not installed; install Docker")
    assert "needs no Docker" in line


def test_docker_does_not_run(docker: FakeDocker, run: Run) -> None:
    docker.answer("version", code=1, err="Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n")
    assert complaint(run("up")).startswith("docker: does not run (Cannot connect to the Docker daemon")


def test_no_compose(docker: FakeDocker, run: Run) -> None:
    docker.answer("compose version", code=1, err="docker: 'compose' is not a docker command.\n")
    assert "Compose plugin" in complaint(run("up"))


def test_a_port_that_is_taken(docker: FakeDocker, run: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ports = [{"host_ip": "127.0.0.1", "published": str(port)}]
        docker.answer("config --format json", {"services": {**CONFIG["services"], "grafana": {"ports": ports}}})
        line = complaint(run("up"))
    assert line.startswith(f"STACK_GRAFANA_PORT: port {port} of 127.0.0.1 is taken; ")
    assert not any("build" in call for call in docker.calls)


def test_a_port_that_docker_finds_taken(docker: FakeDocker, run: Run) -> None:
    docker.answer("up --detach", code=1, err="Bind for 127.0.0.1:8086 failed: port is already allocated\n")
    assert complaint(run("up")).startswith("docker: port 8086 is taken; ")


def test_our_own_ports_are_not_taken(docker: FakeDocker, run: Run) -> None:
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        ours.listen()
        ports = [{"host_ip": "127.0.0.1", "published": str(ours.getsockname()[1])}]
        api = {**CONFIG["services"]["api"], "ports": ports}
        docker.answer("config --format json", {"services": {**CONFIG["services"], "api": api}})
        docker.answer("ps --all", container("api", Health="healthy"))
        assert run("up")[0] == 0


def test_a_migration_that_fails(docker: FakeDocker, run: Run) -> None:
    docker.answer("up --detach", code=1, err="service migrate didn't complete successfully: exit 1\n")
    docker.answer("ps --all", container("migrate", State="exited", ExitCode=1))
    docker.answer("logs", "DATABASE_URL: the migration failed: lock timeout\n")
    line = complaint(run("up"))
    assert line.startswith("migrate: DATABASE_URL: the migration failed: lock timeout; see `task logs -- migrate`")


def test_a_password_that_is_not_the_volumes(docker: FakeDocker, run: Run) -> None:
    docker.answer("up --detach", code=1)
    docker.answer("ps --all", container("migrate", State="exited", ExitCode=1))
    docker.answer("logs", 'DATABASE_URL: the migration failed: password authentication failed for user "tidemark"\n')
    line = complaint(run("up"))
    assert line.startswith("POSTGRES_PASSWORD: the database refuses it; ")
    assert "`task reset`" in line


def test_a_store_that_is_another_shard(docker: FakeDocker, run: Run) -> None:
    docker.answer("up --detach", code=1)
    docker.answer("ps --all", container("migrate", State="exited", ExitCode=1))
    docker.answer("logs", "DATABASE_URL: the store is shard 0 of 2, and is reached as shard 0 of 1\n")
    line = complaint(run("up"))
    assert line.startswith("SHARDS: DATABASE_URL: the store is shard 0 of 2")
    assert "set SHARDS as it was" in line


def test_a_service_that_does_not_become_ready(docker: FakeDocker, run: Run) -> None:
    docker.answer("up --detach", code=1, err="container tidemark-api-1 is unhealthy\n")
    docker.answer("ps --all", container("api", Health="unhealthy"))
    docker.answer("logs", "it said this\n")
    line = complaint(run("up"))
    assert line == "api: is not ready (unhealthy): it said this; see `task logs -- api`, mend it, then `task up` again"


def test_an_image_that_can_not_be_had(docker: FakeDocker, run: Run) -> None:
    docker.answer("up --detach", code=1, err=" grafana Pulling\nError response from daemon: no such host\n")
    assert complaint(run("up")).startswith("docker: Error response from daemon: no such host; ")


def test_a_build_that_fails(docker: FakeDocker, run: Run) -> None:
    docker.answer("build", code=1, err="failed to solve: process did not complete: exit code: 2\nERROR: it broke\n")
    assert complaint(run("up")).startswith("docker: ERROR: it broke; see .cache/stack.log")


def test_a_bad_setting(docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECTORS", "many")
    assert complaint(run("up")).startswith("PROJECTORS='many' is not usable")
    assert not any("up" in call for call in docker.calls)


def test_secrets_lost_while_their_volumes_are_left(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("INFLUX_TOKEN")
    docker.answer("volume ls", "tidemark_influxdb\n")
    line = complaint(run("up"))
    assert line.startswith(".env: does not have INFLUX_TOKEN, and an earlier stack left volumes")
    assert not (tmp_path / "project" / ".env").exists()


def with_observer(docker: FakeDocker, name: str, port: int | None, token: str = "t") -> None:
    """Let the stack have InfluxDB or Grafana at a port; None: not running."""
    environment = {"DOCKER_INFLUXDB_INIT_ADMIN_TOKEN": token, "DOCKER_INFLUXDB_INIT_ORG": "o",
                   "DOCKER_INFLUXDB_INIT_BUCKET": "b", "INFLUX_TOKEN": "t"}  # fmt: skip
    docker.answer("config --format json", {"services": {**CONFIG["services"], name: {"environment": environment}}})
    docker.answer(f"port {name}", f"127.0.0.1:{port}\n" if port else "", code=0 if port else 1)


def test_a_token_that_is_not_the_volumes(docker: FakeDocker, run: Run, observer: int) -> None:
    with_observer(docker, "influxdb", observer)
    line = complaint(run("up"))
    assert line.startswith("INFLUX_TOKEN: InfluxDB refuses it; ")
    assert "`task reset`" in line


def test_an_influxdb_that_is_ill(docker: FakeDocker, run: Run, observer: int) -> None:
    with_observer(docker, "influxdb", observer, token="another")
    assert complaint(run("up")).startswith("influxdb: answers 503, so a run leaves nothing in it; ")


@pytest.mark.parametrize("name", ["influxdb", "grafana"])
def test_an_observer_that_is_down(docker: FakeDocker, run: Run, name: str) -> None:
    with_observer(docker, name, None)
    line = complaint(run("up"))
    assert line.startswith(f"{name}: gives no answer")
    assert f"task logs -- {name}" in line


def test_a_grafana_that_is_ill(docker: FakeDocker, run: Run, observer: int) -> None:
    with_observer(docker, "grafana", observer)
    assert complaint(run("up")).startswith("grafana: gives no answer")


@pytest.mark.parametrize("number", ["", "x", "-1", "1.5"])
def test_scale_without_a_number(docker: FakeDocker, run: Run, number: str) -> None:
    assert complaint(run("scale", "--", number)).startswith(f"N={number!r} is not usable: expected a whole number")


def test_scale_without_a_stack(docker: FakeDocker, run: Run) -> None:
    assert complaint(run("scale", "2")) == "stack: is not up; `task up` first"


def test_the_roles_passwords_may_be_made_beside_volumes_that_are_there(
    docker: FakeDocker, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They are set anew at each start, so a stack from before there were roles goes on."""
    monkeypatch.delenv("TIDEMARK_API_PASSWORD")
    docker.answer("volume ls", "tidemark_postgres\n")
    docker.answer("build", code=1, err="ERROR: far enough\n")
    assert "far enough" in complaint(run("up"))
    assert "TIDEMARK_API_PASSWORD=" in (tmp_path / "project" / ".env").read_text()
