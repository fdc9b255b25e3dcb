"""The network before Postgres, as a relay plays it: what becomes of bytes on their way, and what the relay counted.

Orders go to the relay over a Unix socket, one JSON object a line (`Order`); each is answered by one (`Told`).
"""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta, Struct

from bench.ends.errors import RunFailed

HOST: Final = "127.0.0.1"
ANSWER_S: Final = 5.0
LONGEST: Final = 65_536
"""Bytes of a line."""

Milliseconds = Annotated[float, Meta(ge=0, le=60_000)]
Seconds = Annotated[float, Meta(ge=0, le=3600)]
Rate = Annotated[int, Meta(ge=0, le=10**12)]
Ending = Literal["cut", "reset"]
"""What a relay does to all connections: both ends closed, or both reset (RST)."""


class Way(Struct, frozen=True, forbid_unknown_fields=True):
    """One direction; by default all passes at once. Bytes always keep their order.

    They are held back for `latency_ms`, and for up to `jitter_ms` more; on each connection `bytes_per_s` pass, 0: any
    number. `swallow`: nothing passes, neither bytes nor an end, and nothing is closed.
    """

    latency_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    bytes_per_s: Rate = 0
    swallow: bool = False


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    """`up` leads to Postgres, `down` to its clients; by default all passes.

    Without `notifications`, the server's NotificationResponse messages alone are swallowed. Without `fresh`, it is so
    for the connections that there are by now, and all passes on those that are made from now on.
    """

    up: Way = Way()
    down: Way = Way()
    notifications: bool = True
    fresh: bool = True


def silence(*, up: bool = True, down: bool = True, fresh: bool = True) -> Network:
    """Nothing passes in these directions, and nothing is closed: connections are half-open."""
    return Network(Way(swallow=up), Way(swallow=down), fresh=fresh)


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """From now on the network is so, and an end for all connections that there are; empty: nothing but a question.

    After `lasts_s` all passes again by itself, 0: only by another order.
    """

    network: Network | None = None
    end: Ending | None = None
    lasts_s: Seconds = 0.0


class Told(Struct, frozen=True, tag="told"):
    """What a relay counted since its start, the order carried out; `open` and `under_way` are of the moment before it.

    `under_way`: connections on which something was asked, and nothing passed back since. `half_open`: those that lose
    bytes while neither end has closed, the most at once since an order changed the network. `delayed` and
    `swallowed_…` are bytes, `notifications` messages that were swallowed, `ended` connections that the relay ended,
    `unreadable` those whose messages can not be told apart.
    """

    open: int = 0
    under_way: int = 0
    half_open: int = 0
    port: int = 0
    accepted: int = 0
    ended: int = 0
    unreadable: int = 0
    passed: int = 0
    delayed: int = 0
    swallowed_up: int = 0
    swallowed_down: int = 0
    notifications: int = 0


class Refused(Struct, frozen=True, tag="refused"):
    """The answer to what is no order."""

    why: str


class Control:
    """The way to a relay's process: a Unix socket in a folder of the run's own."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path

    def tell(self, order: Order) -> Told:
        """Have an order carried out; it is when this returns. Raises RunFailed where the relay does not answer."""
        try:
            with closing(socket.socket(socket.AF_UNIX)) as channel:
                channel.settimeout(ANSWER_S)
                channel.connect(str(self._path))
                channel.sendall(msgspec.json.encode(order) + b"\n")
                with channel.makefile("rb") as answers:
                    answer = msgspec.json.decode(answers.readline(LONGEST), type=Told | Refused)
        except (OSError, msgspec.MsgspecError) as error:
            raise RunFailed(f"the relay before Postgres did not answer: {error}") from error
        if isinstance(answer, Refused):
            raise RunFailed(f"the relay before Postgres refused an order: {answer.why}")
        return answer


def at_port(url: str, port: int, host: str = HOST) -> str:
    """The same address, with that port of this machine, or of another host, in place of its server."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login}{at}{host}:{port}"))
