"""A system of parts that do nothing but note what was done to them, on a clock that a test moves."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from bench.platforms.platform import LacksPower

STATS: Mapping[str, Any] = {
    "eventCount": 1000,
    "totalEventsProjected": 900,
    "totalTodos": 9,
    "activeTodos": 9,
    "backlog": 100,
    "observedAt": "2026-01-01T00:00:00+00:00",
    "oldestUnprojectedAgeMs": 0.0,
    "blocked": [],
    "lastEvents": [],
    "projectors": [],
}


def stats(**changes: Any) -> dict[str, Any]:
    """What `/stats` tells, with changes."""
    return {**STATS, **changes}


class Clock:
    """The time of a module: `now` moves by hand, and by what is slept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
        self.now = 1000.0
        told = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now, sleep=self._sleep)
        monkeypatch.setattr(module, "time", told)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


class Part:
    """A service: it gets a new holder's name at each start."""

    def __init__(self, kind: str, name: str, done: list[str]) -> None:
        self.kind, self.name = kind, name
        self._done, self._starts = done, 0

    @property
    def holder(self) -> str:
        return f"{self.name}#{self._starts}" if self.kind == "projector" else ""

    def start(self) -> None:
        self._starts += 1
        self._done.append(f"start {self.name}")

    def start_with(self, settings: Mapping[str, str]) -> None:
        self._starts += 1
        told = " ".join(f"{name}={value}" for name, value in settings.items())
        self._done.append(f"start {self.name} with {told}")

    def stop(self) -> None:
        self._done.append(f"stop {self.name}")

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        self._done.append(f"pause {self.name}")

    def resume(self) -> None:
        self._done.append(f"resume {self.name}")

    def logs(self) -> str:
        return ""


class Workers(Part):
    """An API of several processes."""

    def replace(self) -> None:
        self._done.append(f"replace {self.name}")


class System:
    """Parts by their names: `api`, and projectors; and what was done to them, in its order."""

    base_url = ""

    def __init__(
        self,
        *projectors: str,
        api: type[Part] = Part,
        strategy: str = "stream-leases",
        ours: bool = True,
        powers: bool = True,
    ) -> None:
        self.done: list[str] = []
        self._parts = [api("api", "api", self.done), *(Part("projector", name, self.done) for name in projectors)]
        self._powers = powers
        target = SimpleNamespace(name="mine", ours=ours, most_projectors=64)
        self.settings: Any = SimpleNamespace(strategy=strategy, projectors=len(projectors), target=target)
        self.store_url: str | None = "postgresql://oracle@here/db" if ours else None
        self.logins: Any = SimpleNamespace(owner="postgresql://owner@here/db") if ours else None

    def parts(self, kind: str) -> list[Any]:
        return [part for part in self._parts if part.kind == kind]

    def require(self, kind: Any, *powers: type[Any]) -> None:
        if not self._powers:
            raise LacksPower("fake", powers[0], kind)

    def start(self, part: Any) -> None:
        part.start()

    def start_with(self, part: Any, settings: Mapping[str, str]) -> None:
        part.start_with(settings)

    def stop(self, part: Any) -> None:
        part.stop()

    def restart(self, part: Any) -> None:
        part.restart()

    def pause(self, part: Any) -> None:
        part.pause()

    def resume(self, part: Any) -> None:
        part.resume()
