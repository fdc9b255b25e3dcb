"""What a drill concludes: a fault that did not hit does not count, and nothing that was lost is forgiven."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from bench.__main__ import main
from bench.bundle.leave import leave
from bench.drill import command, document, page
from bench.drill.repetition import Repetition, judge
from bench.drill.table import show
from bench.ends.errors import SetupError
from bench.platforms.platform import Kill, LacksPower, Pause, Platform, Start, System
from bench.preflight.settings import Settings
from bench.trial import fault
from metrics.records.answers.drills import FILE
from metrics.records.record import write_json
from metrics.records.result import Correctness, Verdict
from metrics.records.verification import Verification
from settings import SettingError
from tests.unit.bench import bundles
from tests.unit.bench.test_report import EVIL, text

SOUND = Verification()


def repetition(*, hit: bool = True, why_failed: str = "", seed: int = 1, **counts: int) -> Repetition:
    return Repetition(
        run_id="run",
        platform="local",
        seed=seed,
        hit=hit,
        verdict="converged",
        correctness=Correctness(events_checked=10, **counts),
        takeover_s=2.5 if hit else None,
        visible_p99_ms={"before": 10.0, "during": 30.0, "after": None},
        errors=0,
        what="projector-1 was killed",
        why_failed=why_failed,
    )


def drilled(*runs: Repetition, wanted: int = 1) -> dict[str, Any]:
    return document.drill("kill-projector", Settings.from_env({}), wanted, runs)


@pytest.mark.parametrize(
    ("verdict", "correctness", "verification", "why"),
    [
        ("converged", Correctness(events_checked=1), SOUND, ""),
        ("invalid", Correctness(events_checked=1), SOUND, ""),
        ("invalid", Correctness(events_checked=1), Verification(unprojected=3), "3 event(s) never took effect; said"),
        ("invalid", Correctness(), None, "said"),
        ("diverged", Correctness(events_checked=1), SOUND, "said"),
        ("blocked", Correctness(events_checked=1), SOUND, "said"),
        ("timed_out", Correctness(events_checked=1), SOUND, "said"),
        ("converged", Correctness(events_checked=1, lost=1), SOUND, "said"),
        ("converged", Correctness(events_checked=1, acknowledged_missing=1), SOUND, "said"),
    ],
)
def test_safety_is_judged_always_and_errors_under_the_fault_are_no_failure(
    verdict: Verdict, correctness: Correctness, verification: Verification | None, why: str
) -> None:
    assert judge(verdict, "said", correctness, verification) == why


def test_a_repetition_that_did_not_hit_does_not_count() -> None:
    assert drilled(repetition(hit=False))["verdict"] == "not hit"
    assert drilled(repetition(hit=False), repetition(hit=True), wanted=2)["verdict"] == "not hit"
    found = drilled(repetition(hit=False), repetition(hit=True))
    assert (found["verdict"], found["hit"], found["repetitions"]) == ("passed", 1, 2)


def test_a_drill_keeps_the_settings_of_its_runs() -> None:
    told = Settings.from_env({"VUS": "7", "SEED": "9"}, mode="serial")
    found = document.drill("kill-projector", told, 1, [repetition()])
    assert (found["mode"], found["settings"]["VUS"], found["settings"]["STRATEGY"]) == ("serial", 7, "global-order")
    # Each repetition has a seed of its own.
    assert "SEED" not in found["settings"]
    assert found["path"] == ""


def test_one_failure_outweighs_every_hit_also_where_the_fault_did_not_hit() -> None:
    found = drilled(repetition(), repetition(hit=False, why_failed="1 fault(s): lost", lost=1, seed=7), wanted=1)
    assert (found["verdict"], found["lost"], found["seeds"]) == ("failed", 1, [1, 7])


def test_a_bundle_is_read_for_the_price_before_during_and_after(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    write_json(folder / "fault.json", bundles.FAULT)
    lines = [(1001.5, 5.0), (1002.2, 50.0), (1002.9, 40.0), (1004.0, 6.0)]
    text = "".join(f'{{"t": {t}, "phase": "load", "visibility_p99_ms": {p99}}}\n' for t, p99 in lines)
    (folder / "samples.jsonl").write_text(text)
    found = Repetition.read(folder, bundles.result(), 3)
    assert found.visible_p99_ms == {"before": 5.0, "during": 50.0, "after": 6.0}
    assert (found.hit, found.takeover_s, found.seed, found.why_failed) == (True, 4.25, 3, "")


@pytest.mark.parametrize(("verdict", "hit"), [("timed_out", True), ("blocked", True), ("invalid", False)])
def test_a_system_that_did_not_come_back_was_hit_all_the_same(verdict: Verdict, hit: bool, tmp_path: Path) -> None:
    """The wait was in vain, which is what the fault came to; a load generator that gave up saw nothing."""
    folder = bundles.write(tmp_path)
    write_json(folder / "fault.json", bundles.FAULT)
    found = replace(bundles.result(verdict=verdict, why="said"), correctness=Correctness(events_checked=5))
    assert Repetition.read(folder, found, 3).hit == hit


def test_that_nobody_took_over_is_told_with_how_long_it_was_waited() -> None:
    alone = replace(repetition(), takeover_s=None, none_within_s=2.1, right_again_s=5.9, not_told=["who took over"])
    found = drilled(alone, alone, wanted=2)
    assert found["no_takeover_s"] == {"p50": 2.1, "max": 2.1}
    assert document.taken_over(found, "max") == "none within 2.1 s"
    assert document.right_again(found, "max") == "5.9 s, max 5.9 s"
    out = StringIO()
    show(Console(file=out, width=200), [found])
    assert "none within 2.1 s" in out.getvalue()
    shown = text(page.render(document.build([found]), "drills"))
    assert "none within 2.1 s" in shown
    assert "Not told: who took over." in shown


def test_a_run_in_which_no_acknowledged_write_was_read_back_does_not_count(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    write_json(folder / "fault.json", bundles.FAULT)
    unread = replace(bundles.result(verdict="invalid"), correctness=Correctness(events_checked=9))
    assert not Repetition.read(folder, unread, 1).hit


def test_the_table_says_why_a_repetition_failed_and_by_which_seed_it_can_be_had_again() -> None:
    out = StringIO()
    failed = repetition(why_failed="1 fault(s): lost: version 3", lost=1, seed=42)
    show(Console(file=out, width=120), [drilled(failed)])
    assert "kill-projector, seed 42, run: 1 fault(s): lost: version 3" in out.getvalue()
    assert "failed" in out.getvalue()


def test_faults_are_found_by_name_and_one_without_a_class_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"kill-api", "kill-projector", "zombie-projector", "restart-postgres"} <= set(fault.names())
    for name in fault.names():
        assert callable(fault.load(name).heal)
    (tmp_path / "faults_of_a_stranger").mkdir()
    (tmp_path / "faults_of_a_stranger" / "empty.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Exception, match="has no class Fault"):
        fault.load("faults_of_a_stranger.empty")
    with pytest.raises(SettingError, match="kill-projector"):
        fault.load("nonsense")


class Unkillable:
    """A projector that can be stopped and started, and nothing else."""

    kind = "projector"
    name = "one"
    holder = "one"

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def restart(self) -> None: ...

    def logs(self) -> str:
        return ""


def test_a_power_that_a_platform_lacks_is_refused_by_its_name() -> None:
    parts = cast(Any, SimpleNamespace(name="theirs", parts=lambda: [Unkillable()]))
    platform: Platform = parts
    anything: Any = None
    system = System(platform, anything, "", anything, anything, anything, anything, None)
    system.require("projector", Start)
    (part,) = system.parts("projector")
    system.restart(part)
    for power, word in ((Kill, "kill"), (Pause, "pause")):
        with pytest.raises(LacksPower, match=f"^platform theirs: has no power to {word} the projector"):
            system.require("projector", power)
    verbs: list[Any] = [system.kill, system.pause, system.resume]
    for verb in verbs:
        with pytest.raises(LacksPower):
            verb(part)
    with pytest.raises(LacksPower, match="start and stop the postgres"):
        system.require("postgres", Start)


def test_the_page_of_drills_tells_what_was_counted_and_of_how_many_runs() -> None:
    seen = text(page.render(document.build([drilled(repetition(), repetition(hit=False, lost=2))]), "drills-1"))
    assert "2 events or rows are wrong in 2 runs" in seen
    sound = text(page.render(document.build([drilled(repetition())]), "drills-1"))
    assert "1 of 1 drills passed; nothing was lost, doubled or reordered in 1 run, each" in sound
    assert "10 → 30 → –" in sound


def test_the_page_of_the_drills_that_latest_points_at_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = document.build([drilled(repetition(), repetition(hit=False, lost=2))])
    folder = tmp_path / "1-drills-1"
    assert leave(folder, FILE, told, "a page") == ""
    monkeypatch.setattr(sys, "argv", ["bench", "report", str(tmp_path / "latest")])
    assert main() == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == page.render(told, folder.name)
    (folder / FILE).write_text('{"schema": 1, "drills": [{"name": "x"}]}', encoding="utf-8")
    with pytest.raises(SetupError, match=r"\$\.drills\[0\]: Object missing required field"):
        command.render(folder)


def test_nothing_in_drills_becomes_markup() -> None:
    evil = replace(repetition(why_failed=EVIL), what=EVIL, run_id=EVIL)
    seen = page.render(document.build([drilled(evil)]), EVIL)
    assert "<img" not in seen
    assert "alert(" in seen
