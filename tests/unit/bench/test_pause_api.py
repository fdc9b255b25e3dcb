"""The stall of the API: paused and let go on whatever comes, and a hit only where a request waited for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bench.ends.signals import Interrupted
from bench.faults import pause_api
from bench.faults.pause_api import Fault
from bench.platforms.platform import Pause


class System:
    """One API, and what was done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def require(self, kind: str, *powers: type) -> None:
        assert (kind, powers) == ("api", (Pause,))

    def parts(self, kind: str) -> list[Any]:
        return [SimpleNamespace(name="api")]

    def pause(self, part: Any) -> None:
        self.done.append(f"pause {part.name}")

    def resume(self, part: Any) -> None:
        self.done.append(f"resume {part.name}")


def made(system: Any) -> Fault:
    fault = Fault()
    fault.set_up(system)
    return fault


def test_it_stands_still_for_its_time_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    system, slept = System(), list[float]()
    monkeypatch.setattr(pause_api, "time", SimpleNamespace(sleep=slept.append))
    fault = made(system)
    assert fault.invoke({})
    assert (system.done, slept) == (["pause api", "resume api"], [pause_api.STANDS_S])
    assert fault.watch(None)


def test_it_goes_on_also_when_the_run_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_: float) -> None:
        raise Interrupted(15)

    system = System()
    monkeypatch.setattr(pause_api, "time", SimpleNamespace(sleep=broken_off))
    with pytest.raises(Interrupted):
        made(system).invoke({})
    assert system.done == ["pause api", "resume api"]


@pytest.mark.parametrize(("slowest", "hit"), [(2100.0, True), (1500.0, True), (400.0, False)])
def test_it_hit_where_a_request_waited_for_it(slowest: float, hit: bool) -> None:
    told = {"latency_ms": {"actions": {"max": 90.0}, "reads": {"max": slowest}}}
    assert made(System()).evidence(told).hit == hit
    assert not made(System()).evidence({}).hit
