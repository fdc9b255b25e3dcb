"""The store of one host: Postgres on its loopback, and before it a relay at the host's address, which delays packets.

Other hosts reach the server through the relay alone.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.ends.errors import RunFailed
from bench.perf.contests.hosts.namespaces import Host
from bench.platforms.postgres.network import Control, Network, Order, Told, Way, at_port
from bench.platforms.processes import Processes
from settings.children import PYTHON

READY_S: Final = 120.0


class Store:
    """`start` it before anything else; `delay` and `seen` are of its relay."""

    def __init__(self, host: Host, folder: Path, processes: Processes) -> None:
        self.host: Final = host
        self._processes: Final = processes
        self._told: Final = folder / f"{host.name}.url"
        self._place: Final = folder / f"{host.name}.relay"
        self._control: Final = Control(self._place)

    def start(self) -> str:
        """Start both; the owner's address of an empty database, through the relay. Raises RunFailed, SetupError."""
        direct = self._start_server()
        self._start_relay(direct)
        return at_port(direct, self.seen().port, self.host.address)

    def delay(self, round_trip_ms: float) -> None:
        """Between everybody and the server, half of it each way. Raises RunFailed."""
        way = Way(latency_ms=round_trip_ms / 2)
        self._control.tell(Order(network=Network(up=way, down=way)))

    def seen(self) -> Told:
        """What the relay has counted. Raises RunFailed."""
        return self._control.tell(Order())

    def _start_server(self) -> str:
        command = ["-m", "bench.perf.programs.store", str(self._told)]
        process = self._processes.start(
            self.host.name, command, PYTHON.environment(), program=self.host.program, refuses=False
        )
        self._processes.wait_until(self._told.exists, process, READY_S)
        return self._told.read_text(encoding="utf-8")

    def _start_relay(self, direct: str) -> None:
        server = direct.rpartition("@")[2].partition("/")[0]
        command = ["-m", "bench.faults.relay", server, str(self._place), "--listen", self.host.address]
        process = self._processes.start(
            f"{self.host.name}-relay", command, PYTHON.environment(), program=self.host.program, refuses=False
        )
        self._processes.wait_until(self._relay_answers, process, READY_S)

    def _relay_answers(self) -> bool:
        with suppress(RunFailed):
            self.seen()
            return True
        return False
