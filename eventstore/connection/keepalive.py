"""TCP keep-alive and TCP_USER_TIMEOUT on a connection to Postgres: the kernel notices a silent network by itself.

asyncpg has no option for them, but takes the class of its connections, which is handed the transport.
"""

from __future__ import annotations

import socket
from typing import Any, Final

import asyncpg

PACKETS: Final = 3


def tcp_connection(silence: float) -> type[asyncpg.Connection]:
    """A class of connections whose socket is given up after some `silence` seconds without a sign of the peer.

    Data that is not acknowledged that long ends the connection; one that is idle, or waits for an answer, is sent
    keep-alive packets.
    Sockets that are no TCP sockets, and options that the platform lacks, are left as they are.
    """
    options = _options(silence)

    class TcpConnection(asyncpg.Connection):  # type: ignore[misc]
        def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:
            super().__init__(protocol, transport, *rest)
            channel = transport.get_extra_info("socket")
            if channel is not None and channel.family in (socket.AF_INET, socket.AF_INET6):
                for level, name, value in options:
                    channel.setsockopt(level, name, value)

    return TcpConnection


def server_side(silence: float) -> dict[str, str]:
    """Settings of a session by which the server's kernel gives up a client that has fallen silent: no place is lost."""
    idle, pause = _times(silence)
    return {
        "tcp_keepalives_idle": str(idle),
        "tcp_keepalives_interval": str(pause),
        "tcp_keepalives_count": str(PACKETS),
        "tcp_user_timeout": str(round(silence * 1000)),
    }


def _times(silence: float) -> tuple[int, int]:
    """Half of the time until the first packet, the other half for three of them, in the kernel's whole seconds."""
    return max(1, round(silence / 2)), max(1, round(silence / 2 / PACKETS))


def _options(silence: float) -> list[tuple[int, int, int]]:
    idle, pause = _times(silence)
    wanted = {
        "TCP_KEEPIDLE": idle,
        "TCP_KEEPINTVL": pause,
        "TCP_KEEPCNT": PACKETS,
        "TCP_USER_TIMEOUT": round(silence * 1000),
    }
    tcp = [
        (socket.IPPROTO_TCP, number, value)
        for name, value in wanted.items()
        if (number := getattr(socket, name, None)) is not None
    ]
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *tcp]
