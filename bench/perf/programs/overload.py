"""`python -m bench.perf.programs.overload`: actions over HTTP at a rate, however late the answers are (open loop).

The same actions as those of `load`, due at random moments. A request takes a free connection out of `--connections`,
and is left out where there is none, which is told. An answer counts from the moment when its request was due.

So that the client takes little of what it measures, it has no event loop: once a millisecond it sends what is due, and
takes all answers that have come since. No answer wakes it, which would be paid by whoever sends the answer.
"""

from __future__ import annotations

import argparse
import os
import random
import selectors
import socket
import time
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from bench.perf.programs.connection import parsed, written
from bench.perf.programs.load import Actions
from bench.perf.programs.result import milliseconds, report

ACKNOWLEDGED: Final = (200, 201, 204)
REFUSED: Final = 503
LAST_ANSWERS_S: Final = 10.0
TURN_S: Final = 0.001
READ: Final = 65536


class Overload:
    """What is due, and what became of it: seconds of each answer by its kind. Those due before `counted` are none."""

    def __init__(self, counted: float) -> None:
        self.actions: Final = Actions()
        self.free: Final[list[Caller]] = []
        self.counted = counted
        self.acknowledged = 0
        self.failed = 0
        self.under_way = 0
        self.left_out = 0
        self.served: Final[list[float]] = []
        self.refused: Final[list[float]] = []
        self.late: Final[list[float]] = []
        """By how much requests were sent after they were due: this client's own part of each latency."""

    def arrive(self, due: float) -> None:
        """Send one action, if a connection is free."""
        if not self.free:
            self.left_out += due >= self.counted
            return
        self.under_way += 1
        self.late.append(perf_counter() - due)
        self.free.pop().send(due, *self.actions.next())

    def take(self, caller: Caller) -> bool:
        """Take in what has come on a connection. False at its end: what it was asked is not answered then."""
        if not (data := caller.receive()):
            return False
        if (answer := parsed(caller.received + data)) is None:
            caller.received += data
            return True
        status, body, caller.received = answer
        self.free.append(caller)
        self._answered(caller.due, status, caller.path, body)
        return True

    def _answered(self, due: float, status: int, path: bytes, body: bytes) -> None:
        self.under_way -= 1
        seconds, counts = perf_counter() - due, due >= self.counted
        if status in ACKNOWLEDGED:
            self.acknowledged += 1
            self.actions.answered(body)
        else:
            self.actions.refused(path)
        if counts and status in ACKNOWLEDGED:
            self.served.append(seconds)
        elif counts and status == REFUSED:
            self.refused.append(seconds)
        else:
            self.failed += counts


class Caller:
    """One keep-alive connection, free whenever its last request is answered."""

    def __init__(self, host: str, port: int) -> None:
        self.socket: Final = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.due = 0.0
        self.path = b""

    def send(self, due: float, method: bytes, path: bytes) -> None:
        """Send a request. It is small, and all before it are answered, so there is room for it."""
        self.due, self.path = due, path
        self.socket.send(written(method, path))

    def receive(self) -> bytes:
        """What has come; empty at the end of the connection."""
        try:
            return self.socket.recv(READ)
        except ConnectionError:
            return b""


def run(base_url: str, *, rate: float, warmup: float, seconds: float, connections: int, bound: float) -> None:
    """Offer the actions, wait for the last answers, and report."""
    address, overload, selector = urlsplit(base_url), Overload(counted=0.0), selectors.DefaultSelector()
    for _ in range(connections):
        caller = Caller(address.hostname or "", address.port or 80)
        selector.register(caller.socket, selectors.EVENT_READ, caller)
        overload.free.append(caller)
    chance = random.Random(1)
    worked = time.process_time()
    due = begun = perf_counter()
    overload.counted = begun + warmup
    while due - begun < warmup + seconds:
        while due <= perf_counter():
            overload.arrive(due)
            due += chance.expovariate(rate)
        _turn(overload, selector)
    cpu = (time.process_time() - worked) / (perf_counter() - begun)
    gives_up = perf_counter() + LAST_ANSWERS_S
    while overload.under_way and perf_counter() < gives_up:
        _turn(overload, selector)
    _report(overload, seconds, bound, cpu)


def _turn(overload: Overload, selector: selectors.BaseSelector) -> None:
    for key, _ in selector.select(0):
        if not overload.take(key.data):
            selector.unregister(key.fileobj)
    time.sleep(TURN_S)


def _report(overload: Overload, seconds: float, bound: float, cpu: float) -> None:
    served, refused = overload.served, overload.refused
    offered = len(served) + len(refused) + overload.failed
    accepted, turned_away = milliseconds(served), milliseconds(refused) if refused else {"p99": 0.0}
    report(
        offered_per_s=offered / seconds,
        goodput_per_s=sum(one <= bound for one in served) / seconds,
        refused_per_s=len(refused) / seconds,
        sent_late_p99_ms=milliseconds(overload.late)["p99"],
        cpu=cpu,
        acknowledged=overload.acknowledged,
        failed=overload.failed,
        unanswered=overload.under_way,
        left_out_per_s=overload.left_out / seconds,
        p50_ms=accepted["p50"],
        p99_ms=accepted["p99"],
        refused_p99_ms=turned_away["p99"],
    )


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.perf.programs.overload", description=__doc__)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--warmup", type=float, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--bound", type=float, default=1, help="seconds within which an answer counts")
    given = vars(parser.parse_args())
    run(os.environ["BASE_URL"], **given)


if __name__ == "__main__":
    main()
