"""The relay between the services of a local system and its Postgres, as a part: the power to disturb the network.

The services alone go through it; migration, oracle, load generator and doctor reach their ends directly.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.ends.errors import RunFailed
from bench.platforms.platform import Kind
from bench.platforms.postgres.network import HOST, Control, Order, Told, at_port
from bench.platforms.processes import Processes, tail
from settings.children import PYTHON

READY_TIMEOUT_S: Final = 30.0
LOG_LINES: Final = 200
SOCKET: Final = "relay"


class Relay:
    """A relay of its own process before the server at `port`, ready when it is made. Raises RunFailed.

    `folder` is a private one of the run's, for the socket by which it is told what to do; `seed` is that of its jitter.
    """

    kind: Kind = "network"
    name = "relay"
    holder = ""

    def __init__(self, port: int, processes: Processes, folder: Path, seed: int) -> None:
        place = folder / SOCKET
        self._control: Final = Control(place)
        command = ["-m", "bench.faults.relay", f"{HOST}:{port}", str(place), "--seed", str(seed)]
        self._process: Final = processes.start("relay", command, PYTHON.environment(), refuses=False)
        processes.wait_until(self._answers, self._process, READY_TIMEOUT_S)
        self._port: Final = self.disturb(Order()).port

    def address(self, direct: str) -> str:
        """The way through it to the same database."""
        return at_port(direct, self._port)

    def disturb(self, order: Order) -> Told:
        """Have an order carried out. Raises RunFailed."""
        return self._control.tell(order)

    def logs(self) -> str:
        """The last lines of its log file."""
        return tail(self._process.log, LOG_LINES)

    def _answers(self) -> bool:
        with suppress(RunFailed):
            self.disturb(Order())
            return True
        return False
