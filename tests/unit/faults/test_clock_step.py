"""The clock step: each process is to be seen with the time that it was given, ahead and behind, by turns."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.faults import clock_step
from bench.trial.fault import NotApplicable
from bench.trial.foreign import clocks
from tests.unit.faults.fakes import Clock, System, stats

HOUR = clock_step.HOUR_S


class Machine:
    """Processes that have the time of their offset files, as under libfaketime; those named `stuck` do not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *projectors: str, stuck: tuple[str, ...] = ()) -> None:
        self.clock = Clock(monkeypatch, clock_step)
        system: Any = System(*projectors)
        self.system = system
        self._stuck = stuck
        monkeypatch.setattr(clock_step, "library", lambda: Path("/there/libfaketime.so.1"))
        monkeypatch.setattr(clock_step, "_of_api", lambda _: self._told("api"))
        monkeypatch.setattr(clock_step, "_of_projector", lambda health: self._told(health.stem))
        self.fault: Any = clock_step.Fault()
        self.fault.set_up(system)
        told = re.findall(r"FAKETIME_TIMESTAMP_FILE=(\S+)", " ".join(self.system.done))
        self._files = {path.stem: path for path in map(Path, told)}

    def offsets(self) -> dict[str, int]:
        """What each is set to now."""
        return {name: int(path.read_text()) for name, path in self._files.items()}

    def _told(self, name: str) -> float:
        return self.clock.now + (0 if name in self._stuck else self.offsets()[name])

    def play(self, *, flowing: bool = True) -> list[dict[str, int]]:
        """Look until it heals; the offsets that there were, one after another."""
        seen: list[dict[str, int]] = []
        assert self.fault.invoke(stats())
        for look in range(200):
            if self.offsets() not in seen[-1:]:
                seen.append(self.offsets())
            self.clock.now += 0.2
            if self.fault.watch(stats(totalEventsProjected=900 + look * flowing)):
                break
        self.fault.heal()
        return [*seen, self.offsets()]


def test_each_has_its_own_time_by_turns_and_the_right_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "one", "two")
    starts = [word for word in machine.system.done if word.startswith("start")]
    assert len(starts) == 3
    assert all("LD_PRELOAD=/there/libfaketime.so.1" in word for word in starts)
    # Moments would be of another clock than the waterfall's.
    assert ["MOMENTS_FILE" in word for word in starts] == [False, True, True]
    there = {"api": HOUR, "one": -HOUR, "two": HOUR}
    assert machine.play() == [there, {name: -off for name, off in there.items()}, dict.fromkeys(there, 0)]
    found = machine.fault.evidence({})
    assert found.hit
    assert "api, one, two had clocks" in found.what
    assert "seen in 2 of 2 steps" in found.what


def test_one_that_has_the_right_time_was_not_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "one", stuck=("one",))
    machine.play()
    found = machine.fault.evidence({})
    assert not found.hit
    assert "seen in 0 of 2 steps" in found.what


def test_where_nothing_took_effect_it_did_not_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "one")
    machine.play(flowing=False)
    assert not machine.fault.evidence({}).hit


def test_without_the_library_or_on_another_target_there_is_no_such_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs: Any = System("one", ours=False)
    with pytest.raises(NotApplicable, match="does not tell the clocks"):
        clock_step.Fault().set_up(theirs)
    monkeypatch.setattr(clocks, "PLACES", (tmp_path,))
    with pytest.raises(NotApplicable, match=r"libfaketime.*apt-get install libfaketime"):
        clocks.library()
    library = tmp_path / "some-linux-gnu" / clocks.LIBRARY
    library.parent.mkdir(parents=True)
    library.touch()
    assert clocks.library() == library


def test_a_projector_tells_its_time_in_its_health_file(tmp_path: Path) -> None:
    part: Any = SimpleNamespace(kind="projector", name="one")
    clock = clocks.Clock(part, tmp_path, Path("/there"))
    assert clock.settings["HEALTH_FILE"] == str(clock.health)
    assert clock_step._of_projector(clock.health) is None
    clock.health.write_text(json.dumps({"at": time.time() - HOUR}))
    told = clock_step._of_projector(clock.health)
    assert told is not None
    assert abs(told + HOUR - time.time()) < 60
    clock.health.write_text("{")
    assert clock_step._of_projector(clock.health) is None
