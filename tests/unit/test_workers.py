"""Workers of a service that are replaced: it is asked again where nothing happens, and waited for to the last one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.ends.errors import RunFailed
from bench.platforms.local import workers
from bench.platforms.processes import Process


class Supervisor:
    """Has its workers one after another, a look each; the last stay."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: set[int], heard: int = 1, step_s: float = 0.5) -> None:
        self.now, self.asked = 1000.0, 0
        self._looks, self._heard, self._step_s = list(looks), heard, step_s
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self._sleep)
        monkeypatch.setattr(workers, "time", clock)
        monkeypatch.setattr(workers, "workers", lambda _: self._workers())
        popen: Any = SimpleNamespace(pid=1, poll=lambda: None, send_signal=self._hear)
        self.process = Process("api", popen, Path("/nonexistent"))

    def _sleep(self, _: float) -> None:
        self.now += self._step_s
        if self.asked >= self._heard and len(self._looks) > 1:
            self._looks.pop(0)

    def _hear(self, _: int) -> None:
        self.asked += 1

    def _workers(self) -> set[int]:
        return self._looks[0]


ROLLING = ({1, 2}, {1, 2, 3}, {2, 3}, {2, 3, 4}, {3, 4})


def test_it_returns_once_none_of_the_former_ones_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(monkeypatch, *ROLLING)
    workers.replace_workers(supervisor.process)
    assert (supervisor.asked, supervisor._workers()) == (1, {3, 4})


def test_one_that_gave_up_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(monkeypatch, *ROLLING, heard=3)
    workers.replace_workers(supervisor.process)
    assert supervisor.asked == 3


def test_it_is_not_asked_again_while_a_new_worker_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = [{1, 2, 3}] * 20
    supervisor = Supervisor(monkeypatch, {1, 2}, *slow, *ROLLING[2:])
    workers.replace_workers(supervisor.process)
    assert supervisor.asked == 1


def test_one_that_never_does_it_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(monkeypatch, {1, 2}, step_s=5.0)
    with pytest.raises(RunFailed, match="api did not replace its processes within 90 s"):
        workers.replace_workers(supervisor.process)
