"""Messages between Locust's process and the supervisor; without a supervisor, they go to the log alone."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from typing import Any

from gevent.event import AsyncResult
from gevent.fileobject import FileObject

from services.loadgen.messages import Message, decode, send
from services.loadgen.workload.greenlets import start
from services.loadgen.workload.run import Halted, Run

PROBE_QUIET_WITHIN_S = 15.0
_LOOK_S = 0.01

log = logging.getLogger(__name__)


class SupervisorLink:
    """Sends what happens, and takes the supervisor's orders: `stop`, and `probe` with what the probe wrote."""

    def __init__(self, run: Run, *, supervised: bool, probed: bool) -> None:
        self._run = run
        self._supervised = supervised
        self._probed = probed
        self._probe: AsyncResult[Message] = AsyncResult()
        if supervised:
            start(run, "the link to the supervisor", self._listen)

    def send(self, event: str, **values: Any) -> None:
        """Tell the supervisor."""
        if self._supervised:
            # Whoever listened may be gone; then `_listen` ends the run.
            with suppress(BrokenPipeError):
                send({"event": event, **values})
        elif event == "phase":
            log.info("phase %s", values["name"])
        elif event == "result":
            log.warning("verdict %s %s", values["verdict"], values["why"])

    def probe_writes(self) -> Message | None:
        """What the probe wrote, once it writes no more; None without a probe. Raises Halted when it does not say."""
        if not self._probed:
            return None
        deadline = time.monotonic() + PROBE_QUIET_WITHIN_S
        while not self._probe.ready():
            if time.monotonic() >= deadline:
                raise Halted("the probe did not stop writing")
            self._run.pause(_LOOK_S)
        message: Message = self._probe.get()
        return message

    def _listen(self) -> None:
        for line in FileObject(sys.stdin.buffer, "rb"):
            message = decode(line)
            if message is None:
                continue
            if message["event"] == "stop":
                self._run.halt(message["why"])
            elif message["event"] == "probe":
                self._probe.set(message)
        self._run.halt("the supervisor is gone")
