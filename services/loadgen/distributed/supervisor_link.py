"""Messages between Locust's process and the supervisor; without a supervisor, they go to the log alone."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from typing import Any

from gevent.event import AsyncResult
from gevent.fileobject import FileObject

from metrics.records.sections.hold import Order, Told
from services.loadgen.distributed.standstill import ANSWER_WITHIN_S, NOBODY
from services.loadgen.messages import Message, decode, send
from services.loadgen.workload.greenlets import start
from services.loadgen.workload.run import Halted, Run

PROBE_QUIET_WITHIN_S = 15.0
HELD_WITHIN_S = ANSWER_WITHIN_S + 5.0
_LOOK_S = 0.01

log = logging.getLogger(__name__)


class SupervisorLink:
    """Sends what happens, and takes what the supervisor says: `stop`, `probe` with what the probe wrote, `seen` once it
    has seen all of that, and `held`, the answer to an order to the projectors.

    `unheld`: why no order can be given to them; empty where one can.
    """

    def __init__(self, run: Run, *, supervised: bool, probed: bool, unheld: str = NOBODY) -> None:
        self._run = run
        self._supervised = supervised
        self._probed = probed
        self._probe: AsyncResult[Message] = AsyncResult()
        self._seen = not probed
        self._held: AsyncResult[Message] = AsyncResult()
        self.unheld = unheld
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
        return self._await(self._probe, PROBE_QUIET_WITHIN_S, "the probe did not stop writing")

    def probe_has_seen(self) -> bool:
        """Whether no write of the probe waits to be seen any more; True without a probe."""
        return self._seen

    def order(self, order: Order) -> Told:
        """Order all projectors to stand still, or to go on; what has become of it. Raises Halted without an answer."""
        self._held = AsyncResult()
        self.send("hold", order=order)
        return Told.from_dict(self._await(self._held, HELD_WITHIN_S, f"nobody let the projectors {order}"))

    def _await(self, answer: AsyncResult[Message], within_s: float, otherwise: str) -> Message:
        deadline = time.monotonic() + within_s
        while not answer.ready():
            if time.monotonic() >= deadline:
                raise Halted(otherwise)
            self._run.pause(_LOOK_S)
        message: Message = answer.get()
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
            elif message["event"] == "seen":
                self._seen = True
            elif message["event"] == "held":
                self._held.set(message["told"])
        self._run.halt("the supervisor is gone")
