"""Connections for one greenlet at a time: a non-blocking TCP socket on gevent's loop, or gevent's TLS socket.

The plain one has its watchers made once and looks for an answer only when the kernel has it: one send, one wait and one
receive a request, where gevent's socket tries to receive first and makes a timer for each wait.
"""

from __future__ import annotations

from functools import cache
from select import POLLIN
from typing import Any, Final, Protocol

from gevent import get_hub, getcurrent, monkey, select, socket, ssl

TIMEOUT_S: Final = 10.0
"""For connecting, and for each wait for the server."""
PIECE: Final = 64 * 1024
"""Bytes that are received at once."""
_READABLE, _WRITABLE = 1, 2
# Locust's process has these patched, and a patched one waits by itself.
_PlainSocket: Any = monkey.get_original("socket", "socket")
_poll: Any = monkey.get_original("select", "poll")


class Connection(Protocol):
    """A connection to the server."""

    def send(self, message: bytes) -> None:
        """Send all of it. Raises OSError, TimeoutError included; how much of it has gone is then unknown."""
        ...

    def receive(self) -> bytes:
        """Wait for bytes; none at the end of the connection. Raises OSError, TimeoutError included."""
        ...

    def spent(self) -> bool:
        """True when the server has closed it, or has sent what nobody asked for: no request may go out on it."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def connect(host: str, port: int, *, tls: bool) -> Connection:
    """A new connection. Raises OSError, TimeoutError included."""
    opened = socket.create_connection((host, port), timeout=TIMEOUT_S)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return PlainConnection(opened)
    return TlsConnection(_context().wrap_socket(opened, server_hostname=host))


class PlainConnection:
    """TCP without TLS; takes over the socket of gevent's that is connected."""

    def __init__(self, connected: Any) -> None:
        self._socket = _PlainSocket(fileno=connected.detach())
        self._socket.setblocking(False)
        self._hub = get_hub()
        self._timer = self._hub.loop.timer(TIMEOUT_S, TIMEOUT_S)
        self._readable = self._hub.loop.io(self._socket.fileno(), _READABLE)
        self._poll = _poll()
        self._poll.register(self._socket.fileno(), POLLIN)

    def send(self, message: bytes) -> None:
        """One call, as long as the kernel takes it whole."""
        sent = self._send(message)
        while sent < len(message):
            writable = self._hub.loop.io(self._socket.fileno(), _WRITABLE)
            try:
                self._wait(writable)
            finally:
                writable.close()
            sent += self._send(message[sent:])

    def receive(self) -> bytes:
        """Wait, then receive."""
        while True:
            self._wait(self._readable)
            try:
                return bytes(self._socket.recv(PIECE))
            except BlockingIOError:
                continue

    def spent(self) -> bool:
        """Asks the kernel, at this moment, without a wait."""
        return bool(self._poll.poll(0))

    def close(self) -> None:
        """Close the socket and what watches it."""
        self._readable.close()
        self._timer.close()
        self._socket.close()

    def _send(self, message: bytes) -> int:
        try:
            return int(self._socket.send(message))
        except BlockingIOError:
            return 0

    def _wait(self, watcher: Any) -> None:
        # `start` would go on with what the wait before has left of the time: one that is stopped keeps the rest.
        self._timer.again(getcurrent().throw, TimeoutError, "timed out")
        try:
            self._hub.wait(watcher)
        finally:
            self._timer.stop()


class TlsConnection:
    """TLS over TCP; the socket is gevent's."""

    def __init__(self, connected: Any) -> None:
        self._socket = connected

    def send(self, message: bytes) -> None:
        """As many records as it takes."""
        self._socket.sendall(message)

    def receive(self) -> bytes:
        """The content of a record."""
        return bytes(self._socket.recv(PIECE))

    def spent(self) -> bool:
        """The same by `select`: a record that nobody asked for spends the connection, too."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@cache
def _context() -> Any:
    return ssl.create_default_context()
