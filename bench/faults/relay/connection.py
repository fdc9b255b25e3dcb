"""One relayed connection: a socket at each end, and a lane in each direction between them.

Ends are passed on as what they are, a half-close as a half-close and a reset as a reset. Whoever is waited for to
accept is connected first: nothing is read from a client before its server is there.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, cast

from bench.faults.relay.lane import End, Fate, Lane, Tally
from bench.faults.relay.notifications import Notifications
from bench.platforms.postgres.network import Ending, Network

AT_ONCE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for no seconds: what is closed is reset."""


@dataclass
class Shared:
    """What all connections of a relay share: where the server is, the seed of jitter, and what is counted."""

    place: tuple[str, int]
    seed: int = 0
    up: Tally = field(default_factory=Tally)
    down: Tally = field(default_factory=Tally)
    notifications: int = 0


class Side(asyncio.Protocol):
    """One end. What it receives leaves by `out`, what it is to send arrives by `into`."""

    def __init__(self, connection: Connection, receive: Callable[[bytes], None], *, out: Lane, into: Lane) -> None:
        self.transport: asyncio.Transport | None = None
        self.gone = False
        self._connection: Final = connection
        self._receive: Final = receive
        self._out: Final = out
        self._into: Final = into

    @property
    def is_open(self) -> bool:
        """Whether it is connected, and has not ended."""
        return self.transport is not None and not self.gone and self._out.ended is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bytes may pass by it."""
        self.transport = self._out.source = self._into.sink = cast(asyncio.Transport, transport)
        self._connection.made(self)

    def data_received(self, data: bytes) -> None:
        """Pass them on."""
        self._receive(data)

    def eof_received(self) -> bool:
        """It sends no more, and may be sent more."""
        self._out.end("eof")
        return True

    def pause_writing(self) -> None:
        """It takes no more for now."""
        self._into.sink_full(True)

    def resume_writing(self) -> None:
        """It does again."""
        self._into.sink_full(False)

    def connection_lost(self, _: Exception | None) -> None:
        """It was closed, by us or by itself."""
        self.gone = True
        self._connection.lost(self._out)

    def abort(self, *, reset: bool) -> None:
        """Close it without a word of what was not sent yet."""
        if self.transport is None or self.gone:
            return
        if reset:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.transport.abort()


class Connection:
    """A client, and a server that is connected to as soon as bytes may pass to it.

    `number` tells its jitter from that of others; `on_gone` is told when neither end is there any more.
    """

    def __init__(self, shared: Shared, network: Network, number: int, on_gone: Callable[[Connection], None]) -> None:
        self._shared: Final = shared
        self._on_gone: Final = on_gone
        self._fate: Final = Fate()
        self._messages: Final = Notifications()
        self._up: Final = Lane(self._fate, shared.up, Random(f"{shared.seed}/{number}/up"), self._up_ended)
        self._down: Final = Lane(
            self._fate, shared.down, Random(f"{shared.seed}/{number}/down"), self._down_ended, back=True
        )
        self.client: Final = Side(self, self._asked, out=self._up, into=self._down)
        self.server: Final = Side(self, self._answered, out=self._down, into=self._up)
        self._dialing: asyncio.Task[None] | None = None
        self._closing = False
        self._up.sink_full(True)
        self.change(network)

    @property
    def under_way(self) -> bool:
        """Whether something was asked, and nothing has passed back since, be it held back or not there yet."""
        return self._fate.asked

    @property
    def half_open(self) -> bool:
        """Whether bytes are being lost on it, and neither end has closed."""
        return self._fate.lost and not self._fate.dead and self.client.is_open and self.server.is_open

    @property
    def readable(self) -> bool:
        """Whether the server's messages can be told apart."""
        return self._messages.readable

    def change(self, network: Network) -> None:
        """From now on the network is so. What has lost bytes stays silent once nothing swallows them any more."""
        if not (network.up.swallow or network.down.swallow):
            self._fate.dead = self._fate.lost
        self._messages.swallow = not network.notifications
        self._up.change(network.up)
        self._down.change(network.down)
        self._dial()

    def end(self, how: Ending) -> None:
        """Close both ends, or reset both."""
        self._closing = True
        if self._dialing is not None:
            self._dialing.cancel()
        for lane in (self._up, self._down):
            lane.close()
        for side in (self.client, self.server):
            side.abort(reset=how == "reset")
        self._look_whether_gone()

    def made(self, side: Side) -> None:
        """A side is connected."""
        if self._closing:
            side.abort(reset=False)
        elif side is self.server:
            self._up.sink_full(False)
            self._down.go_on()
        else:
            # Reading begins after this call, so it is held up after it, too.
            asyncio.get_running_loop().call_soon(self._up.go_on)
            self._dial()

    def lost(self, out: Lane) -> None:
        """The side whose bytes leave by `out` is gone."""
        if not self._closing:
            out.end("reset")
        self._look_whether_gone()

    def _asked(self, data: bytes) -> None:
        self._fate.asked = True
        self._messages.asked(data)
        self._up.receive(data)

    def _answered(self, data: bytes) -> None:
        before = self._messages.swallowed
        passing = self._messages.passing(data)
        self._shared.notifications += self._messages.swallowed - before
        if passing:
            self._down.receive(passing)

    def _dial(self) -> None:
        """Connect the server, unless it is or will be, or nothing would pass to it."""
        if self.client.is_open and not self._closing and self._dialing is None and not self._up.silent:
            self._dialing = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, *self._shared.place)
        except OSError:
            self.end("reset")

    def _up_ended(self, how: End) -> None:
        self._pass_end(self.server, how)

    def _down_ended(self, how: End) -> None:
        self._pass_end(self.client, how)

    def _pass_end(self, side: Side, how: End) -> None:
        if how == "reset" or side.transport is None:
            self.end("reset")
            return
        if not side.transport.is_closing():
            side.transport.write_eof()
        if self._up.passed_end and self._down.passed_end:
            self._close()

    def _close(self) -> None:
        """In order, behind all that was passed on."""
        self._closing = True
        for side in (self.client, self.server):
            if side.transport is not None:
                side.transport.close()

    def _look_whether_gone(self) -> None:
        if all(side.transport is None or side.gone for side in (self.client, self.server)):
            self._on_gone(self)
