"""The relay as a part of a local system: a process of its own, told what to do at its socket, ended in order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.platforms.local.relay import SOCKET, Relay
from bench.platforms.platform import Disturb
from bench.platforms.postgres.network import Network, Order, silence
from bench.platforms.processes import Processes

ANSWER_S = 20.0


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(ANSWER_S)
        yield listening


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Guardian() as guardian:
        processes = Processes(tmp_path, guardian)
        yield processes
        processes.stop()


def connect(relay: Relay) -> socket.socket:
    port = int(relay.address("tcp://127.0.0.1:1").rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), ANSWER_S)


def answer_to(place: Path, said: bytes) -> bytes:
    """The line that is answered; empty where the connection is ended instead."""
    with closing(socket.socket(socket.AF_UNIX)) as asked, suppress(ConnectionError):
        asked.settimeout(ANSWER_S)
        asked.connect(str(place))
        asked.sendall(said)
        with asked.makefile("rb") as answers:
            return answers.readline()
    return b""


def test_it_is_told_what_to_do_and_ends_after_those_that_it_serves(
    listening: socket.socket, processes: Processes, tmp_path: Path
) -> None:
    relay = Relay(listening.getsockname()[1], processes, tmp_path, seed=1)
    (process,) = processes.all
    assert isinstance(relay, Disturb)
    assert relay.address("postgresql://me:secret@127.0.0.1:1/d?sslmode=disable").startswith("postgresql://me:secret@")
    with connect(relay) as client, listening.accept()[0] as server:
        client.sendall(b"hello")
        assert server.recv(5) == b"hello"
        told = relay.disturb(Order(network=silence()))
        assert (told.open, told.under_way, told.accepted) == (1, 1, 1)
        relay.disturb(Order(network=Network()))

        process.popen.terminate()
        client.sendall(b"still")
        assert server.recv(5) == b"still"
        assert process.running
    assert process.popen.wait(ANSWER_S) == 0, relay.logs()
    processes.end(process)
    with pytest.raises(RunFailed, match="did not answer"):
        relay.disturb(Order())


def test_what_is_no_order_is_refused_and_changes_nothing(
    listening: socket.socket, processes: Processes, tmp_path: Path
) -> None:
    relay = Relay(listening.getsockname()[1], processes, tmp_path, seed=1)
    place = tmp_path / SOCKET
    assert place.stat().st_mode & 0o077 == 0
    for wrong in (b"nonsense", b'{"network": {"up": {"latency_ms": -1}}}', b'{"end": "burn"}', b'{"other": 1}'):
        assert b"refused" in answer_to(place, wrong + b"\n")
    assert answer_to(place, b"x" * 1_000_000) == b""
    with connect(relay) as client, listening.accept()[0] as server:
        client.sendall(b"hello")
        assert server.recv(5) == b"hello"
