"""The parts of a system in containers, each with every power, carried out by Docker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.platforms.compose.compose import Compose
from bench.platforms.http_client import NotWorking
from bench.platforms.platform import Kind
from bench.platforms.platform.holders import holder_in

READY_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.1
LOG_LINES: Final = "200"


class ContainerPart:
    """One container. Docker starts one that crashes again, but not one that was killed by hand."""

    def __init__(
        self,
        compose: Compose,
        kind: Kind,
        name: str,
        ready: Callable[[ContainerPart], bool] = lambda _: True,
        *,
        guardian: Guardian,
    ) -> None:
        self.kind = kind
        self.name = name
        self._compose = compose
        self._ready = ready
        self._guardian = guardian
        self._known: str | None = None

    @property
    def holder(self) -> str:
        """As the projector said it at its last start."""
        if self.kind != "projector":
            return ""
        if self._known is None:
            self._known = holder_in(self._compose.logs(self.name))
        return self._known

    def start(self) -> None:
        """`docker start`, and wait until the service is ready."""
        before = self.holder
        self._compose.docker("start", self.name)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            signals.check()
            try:
                if self._up(before):
                    return
            except NotWorking as error:
                raise RunFailed(f"{self.name} was started again, and waits: {error}", self.logs()) from None
            if time.monotonic() > deadline:
                raise RunFailed(f"{self.name} was not ready within {READY_TIMEOUT_S:g} s", self.logs())
            time.sleep(POLL_S)

    def stop(self) -> None:
        """`docker stop`: SIGTERM, then SIGKILL after the grace period of compose.yaml."""
        self._compose.docker("stop", self.name)

    def restart(self) -> None:
        """Stop it in order, then start it."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL to its main process, which ends the container."""
        self._compose.docker("kill", "--signal", "KILL", self.name)

    def pause(self) -> None:
        """SIGSTOP to its main process, which is all of a projector. Not every engine can freeze a control group.

        Should the bench die, its guardian lets it go on.
        """
        self._guardian.run(self._going_on, self._compose.variables)
        self._compose.docker("kill", "--signal", "STOP", self.name)

    def resume(self) -> None:
        """SIGCONT to its main process."""
        self._compose.docker(*self._going_on[1:])
        self._guardian.spare(self._going_on)

    @property
    def _going_on(self) -> list[str]:
        return ["docker", "kill", "--signal", "CONT", self.name]

    def logs(self) -> str:
        """Its last lines."""
        return self._compose.logs(self.name, "--tail", LOG_LINES)

    def _up(self, before: str) -> bool:
        self._known = None
        return (self.kind != "projector" or self.holder != before) and self._ready(self)
