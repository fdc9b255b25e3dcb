"""A pod of the API or of the projectors as a part: start, stop, kill, pause, resume, logs.

A Deployment starts another pod for one that ends, so who stops or kills one first tells it to have one less, and that
this pod is the one to go. Starting is to have one more: a new pod, of another name.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, Final

from bench.ends.errors import RunFailed
from bench.ends.guardian import Guardian
from bench.platforms.http_client import NotWorking
from bench.platforms.kubernetes import pods, signals
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.platform import Kind
from bench.platforms.platform.holders import holder_in

GOES_FIRST: Final = "controller.kubernetes.io/pod-deletion-cost=-2147483647"
LOG_LINES: Final = "200"
FIRST_BYTES: Final = "65536"
"""In which a projector has said its name."""


class PodPart:
    """One pod. `ready` says whether the service in it works, as the API tells it."""

    def __init__(
        self,
        kubectl: Kubectl,
        kind: Kind,
        name: str,
        ready: Callable[[PodPart], bool] = lambda _: True,
        *,
        guardian: Guardian,
    ) -> None:
        self.kind = kind
        self.name = name
        self._kubectl = kubectl
        self._ready = ready
        self._guardian = guardian
        self._known: str | None = None

    @property
    def holder(self) -> str:
        """As the projector said it at its start; that of a pod that has ended is remembered."""
        if self.kind != "projector":
            return ""
        if not self._known:
            self._known = holder_in(self._kubectl.call("logs", self.name, "--limit-bytes", FIRST_BYTES).stdout)
        return self._known

    def start(self) -> None:
        """Have one more pod, and wait until it is at work; it is this part from then on."""
        before = {pods.name_of(pod) for pod in pods.pods(self._kubectl, self.kind)}
        pods.scale(self._kubectl, self.kind, pods.replicas(self._kubectl, self.kind) + 1)
        try:
            pods.until(lambda: self._adopt(before) and self._ready(self), f"another pod of {self.kind}", self.logs)
        except NotWorking as error:
            raise RunFailed(f"{self.name} was started, and waits: {error}", self.logs()) from None

    def stop(self) -> None:
        """Have one pod less, this one: its preStop, SIGTERM, then SIGKILL after its grace period."""
        self._leave()
        self._await_end()

    def restart(self) -> None:
        """Stop it in order, then start another one."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """SIGKILL to its processes, in the moment of its preStop, so that nothing starts them again.

        Raises RunFailed where the Deployment has let another pod go.
        """
        self._leave()
        signals.send(self._kubectl, self.name, self.kind, signal.SIGKILL)
        self._await_end()

    def pause(self) -> None:
        """SIGSTOP to its processes. After a minute its liveness check would have it started again.

        Should the bench die, its guardian lets it go on.
        """
        self._guardian.run(self._going_on, self._kubectl.variables)
        signals.send(self._kubectl, self.name, self.kind, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT to its processes."""
        signals.send(self._kubectl, self.name, self.kind, signal.SIGCONT)
        self._guardian.spare(self._going_on)

    def logs(self) -> str:
        """Its last lines."""
        return self._kubectl.call("logs", self.name, "--tail", LOG_LINES).stdout

    @property
    def _going_on(self) -> list[str]:
        return signals.command(self._kubectl, self.name, self.kind, signal.SIGCONT)

    def _leave(self) -> None:
        """Have the Deployment let this pod go. A pod that was paused goes, too: it ends by SIGKILL."""
        self._kubectl.run("annotate", "pod", self.name, GOES_FIRST, "--overwrite")
        pods.scale(self._kubectl, self.kind, max(0, pods.replicas(self._kubectl, self.kind) - 1))
        pods.until(self._leaving, f"{self.name} is told to end", self.logs)

    def _leaving(self) -> bool:
        return any(pods.name_of(pod) == self.name and pods.ending(pod) for pod in self._all())

    def _await_end(self) -> None:
        pods.until(lambda: all(pods.name_of(pod) != self.name for pod in self._all()), f"{self.name} is gone")
        self._guardian.spare(self._going_on)

    def _all(self) -> list[dict[str, Any]]:
        return pods.pods(self._kubectl, self.kind)

    def _adopt(self, before: set[str]) -> bool:
        new = [pod for pod in self._all() if pods.name_of(pod) not in before and pods.ready(pod)]
        if new:
            self.name, self._known = pods.name_of(new[0]), None
        return bool(new)
