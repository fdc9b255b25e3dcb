"""`python -m bench.perf.programs.overload`: actions over HTTP at a rate, however late the answers are (open loop).

The same actions as those of `load`, due at random moments. A request takes a free connection out of `--connections`,
and is left out where there is none, which is told. An answer counts from the moment when its request was due. Each
request is a few calls of the event loop and no task, so that the client takes little of what it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from time import perf_counter
from typing import Final, cast
from urllib.parse import urlsplit

import uvloop

from bench.perf.programs.connection import parsed, written
from bench.perf.programs.load import Actions
from bench.perf.programs.result import milliseconds, report

ACKNOWLEDGED: Final = (200, 201, 204)
REFUSED: Final = 503
LAST_ANSWERS_S: Final = 10.0
TURN_S: Final = 0.001


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

    def answered(self, due: float, status: int, path: bytes, body: bytes) -> None:
        """Take in the answer to a request."""
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


class Caller(asyncio.Protocol):
    """One keep-alive connection, free whenever its last request is answered."""

    def __init__(self, overload: Overload) -> None:
        self._overload: Final = overload
        self._received = b""
        self._due = 0.0
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._overload.free.append(self)

    def send(self, due: float, method: bytes, path: bytes) -> None:
        """Send a request."""
        self._due, self._path = due, path
        self._transport.write(written(method, path))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if (answer := parsed(self._received)) is not None:
            status, body, self._received = answer
            self._overload.free.append(self)
            self._overload.answered(self._due, status, self._path, body)


async def run(base_url: str, *, rate: float, warmup: float, seconds: float, connections: int, bound: float) -> None:
    """Offer the actions, wait for the last answers, and report."""
    address, loop = urlsplit(base_url), asyncio.get_running_loop()
    overload = Overload(counted=0.0)
    for _ in range(connections):
        await loop.create_connection(lambda: Caller(overload), address.hostname or "", address.port or 80)
    chance = random.Random(1)
    due = begun = perf_counter()
    overload.counted = begun + warmup
    while due - begun < warmup + seconds:
        while due <= perf_counter():
            overload.arrive(due)
            due += chance.expovariate(rate)
        await asyncio.sleep(TURN_S)
    gives_up = perf_counter() + LAST_ANSWERS_S
    while overload.under_way and perf_counter() < gives_up:  # noqa: ASYNC110
        await asyncio.sleep(TURN_S)
    _report(overload, seconds, bound)


def _report(overload: Overload, seconds: float, bound: float) -> None:
    served, refused = overload.served, overload.refused
    offered = len(served) + len(refused) + overload.failed
    accepted, turned_away = milliseconds(served), milliseconds(refused) if refused else {"p99": 0.0}
    report(
        offered_per_s=offered / seconds,
        goodput_per_s=sum(one <= bound for one in served) / seconds,
        refused_per_s=len(refused) / seconds,
        sent_late_p99_ms=milliseconds(overload.late)["p99"],
        acknowledged=overload.acknowledged,
        failed=overload.failed,
        unanswered=overload.under_way,
        left_out=overload.left_out,
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
    uvloop.run(run(os.environ["BASE_URL"], **given))


if __name__ == "__main__":
    main()
