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
from bench.drill.table import headline, show
from bench.ends.errors import SetupError
from bench.platforms.platform import Kill, LacksPower, Pause, Platform, Start, System
from bench.preflight.settings import Settings
from bench.trial import fault
from metrics.records.answers.drills import FILE, Drills
from metrics.records.record import write_json
from metrics.records.result import NOT_SEEN, Correctness, Verdict
from metrics.records.verification import Verification
from settings import SettingError
from tests.unit.bench import bundles
from tests.unit.bench.drills import CURVE, built, drilled, repetition
from tests.unit.bench.test_report import EVIL, text

SOUND = Verification()
LISTS = ("t_s", "actions_per_s", "reads_per_s", "stale_ms")


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
    assert found["stall_s"] == {"p50": 1.25, "max": 1.25}


def test_a_drill_has_the_names_of_the_contract_and_its_counts_are_sums() -> None:
    found = drilled(
        repetition(duplicated=2, mismatched_rows=3, acknowledged_missing=4), repetition(phantom=1, reordered=5)
    )
    counts = ("lost", "doubled", "reordered", "phantom", "wrong_rows")
    assert [found[name] for name in counts] == [0, 2, 5, 1, 7]  # type: ignore[literal-required]
    assert found["errors"] == {"503": 8, "refused": 6}
    whole = built(found)
    assert (whole["schema"], whole["target"]["name"], whole["took_s"]) == (1, "tidemark", 61.0)
    assert set(whole["drills"][0]) >= {
        *("name", "mode", "strategy", "repetitions", "hit", *counts, "blocked", "not_converged"),
        *("takeover_s", "stall_s", "visible_p99_ms", "errors", "seeds", "verdict"),
    }


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


def test_a_failed_repetition_has_the_command_that_runs_it_again() -> None:
    told = Settings.from_env({"VUS": "7", "SEED": "9", "STRATEGY": "stream-locks"})
    runs = [repetition(seed=3), repetition(why_failed="lost", lost=1, seed=7)]
    found = document.drill("kill-projector", told, 2, runs)
    again = "kill-projector --strategy stream-locks --repeat 1 --seed 7"
    first, second = found["runs"]
    assert first["replay"] == ""
    assert second["replay"].startswith("VUS=7 ")
    assert second["replay"].endswith(f" .tools/bin/uv run task drill -- {again}")
    out = StringIO()
    show(Console(file=out, width=120), built(found))
    assert second["replay"] in out.getvalue()
    assert second["replay"] in text(page.render(built(found), "drills"))


def test_a_bundle_is_read_for_the_price_before_during_and_after(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    write_json(folder / "fault.json", {**bundles.FAULT, "projection_stall_s": 0.4, "api_silence_s": 0.7})
    write_json(folder / "loadgen.json", {"errors": {"503": 12}})
    lines = [(1001.5, 5.0, 9.0), (1002.2, 50.0, 0.0), (1002.9, 40.0, 0.0), (1004.0, 6.0, 8.0)]
    (folder / "samples.jsonl").write_text(
        "".join(
            f'{{"t": {t}, "phase": "load", "visibility_p99_ms": {p99}, "actions_per_s": {rate}}}\n'
            for t, p99, rate in lines
        )
    )
    found = Repetition.read(folder, bundles.result(), 3)
    assert found.visible_p99_ms == {"before": 5.0, "during": 50.0, "after": 6.0}
    assert (found.hit, found.takeover_s, found.seed, found.why_failed) == (True, 4.25, 3, "")
    assert found.errors == {"503": 12}
    # Struck at 1002.0: nothing was acknowledged from then to 1002.9, which is more than the looks have seen.
    assert found.stall_s == pytest.approx(0.9)
    assert found.curve == {
        "run_id": "run",
        "healed_s": 0.5,
        "t_s": [-0.5, 0.2, 0.9, 2.0],
        "actions_per_s": [9.0, 0.0, 0.0, 8.0],
        "reads_per_s": [None] * 4,
        "stale_ms": [5.0, 50.0, 40.0, 6.0],
    }


@pytest.mark.parametrize(("verdict", "hit"), [("timed_out", True), ("blocked", True), ("invalid", False)])
def test_a_system_that_did_not_come_back_was_hit_all_the_same(verdict: Verdict, hit: bool, tmp_path: Path) -> None:
    """The wait was in vain, which is what the fault came to; a load generator that gave up saw nothing."""
    folder = bundles.write(tmp_path)
    write_json(folder / "fault.json", bundles.FAULT)
    found = replace(bundles.result(verdict=verdict, why="said"), correctness=Correctness(events_checked=5))
    assert Repetition.read(folder, found, 3).hit == hit


def test_a_run_that_ended_before_its_fault_did_not_hit_and_has_no_curve(tmp_path: Path) -> None:
    found = Repetition.read(bundles.write(tmp_path), bundles.result(), 3)
    assert (found.hit, found.curve, found.stall_s) == (False, None, None)
    assert found.what == "the run ended before the fault"


def test_that_nobody_took_over_is_told_with_how_long_it_was_waited() -> None:
    alone = replace(repetition(), takeover_s=None, none_within_s=2.1, right_again_s=5.9, not_told=["who took over"])
    found = drilled(alone, alone, wanted=2)
    assert found["no_takeover_s"] == {"p50": 2.1, "max": 2.1}
    assert document.taken_over(found, "max") == "none within 2.1 s"
    assert document.right_again(found, "max") == "5.9 s"
    assert document.right_again(found | {"right_again_s": {"p50": 5.9, "max": 7.1}}, "max") == "5.9 s, max 7.1 s"
    out = StringIO()
    show(Console(file=out, width=200), built(found))
    assert "none within 2.1 s" in out.getvalue()
    shown = text(page.render(built(found), "drills"))
    assert "none within 2.1 s" in shown
    assert "Not told: who took over." in shown


def test_a_run_in_which_no_acknowledged_write_was_read_back_does_not_count(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    write_json(folder / "fault.json", bundles.FAULT)
    unread = replace(bundles.result(verdict="invalid"), correctness=Correctness(events_checked=9))
    assert not Repetition.read(folder, unread, 1).hit


def test_the_table_has_all_columns_and_says_why_a_repetition_failed() -> None:
    out = StringIO()
    failed = repetition(why_failed="1 fault(s): lost: version 3", lost=1, seed=42)
    show(Console(file=out, width=120), built(drilled(failed)))
    said = out.getvalue()
    assert "kill-projector, stream-leases, seed 42, run: 1 fault(s): lost: version 3" in said
    (row,) = [line for line in said.splitlines() if line.startswith("kill-projector  ")]
    assert "1 of 1" in row
    assert "1.2 s" in row
    assert "503 4, refused 3" in row
    assert "10 → 30 → –" in row
    assert row.rstrip().endswith("failed")
    assert "0 of 1 drills passed; 1 events or rows are wrong in 1 run; in 61 s." in said


def test_what_the_proof_can_not_see_is_no_claim_of_the_headline() -> None:
    read_back = replace(repetition(), correctness=replace(NOT_SEEN, acknowledged_checked=9))
    said = headline(built(drilled(read_back)))
    assert (
        "nothing that is seen is wrong in 1 run; lost, doubled, reordered, phantom can not be seen by its proof" in said
    )
    assert "nothing was lost, doubled or reordered in 1 run; in" in headline(built(drilled(repetition())))


def test_few_kinds_of_errors_are_told_and_the_rest_in_one() -> None:
    counted: dict[str, Any] = {"errors": {"refused": 1, "503": 1500, "500": 2, "timed out": 1, "reset": 1}}
    assert document.errors(counted) == "503 1,500, 500 2, refused 1, others 2"
    assert document.errors({"errors": {}}) == ""


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
    seen = text(page.render(built(drilled(repetition(), repetition(hit=False, lost=2))), "drills-1"))
    assert "2 events or rows are wrong in 2 runs" in seen
    sound = text(page.render(built(drilled(repetition())), "drills-1"))
    assert "1 of 1 drills passed; nothing was lost, doubled or reordered in 1 run;" in sound
    assert "10 → 30 → –" in sound


def test_the_page_has_a_section_of_curves_for_each_fault_and_lists_them() -> None:
    made = page.render(built(drilled(repetition()), drilled(repetition(), name="kill-api")), "drills-1")
    for number, name in enumerate(("kill-projector", "kill-api")):
        assert f'<a href="#fault-{number}">{name}</a>' in made
        assert f'<h2 id="fault-{number}">{name}</h2>' in made
        assert f"Throughput around {name}" in made
        assert f"Staleness around {name}" in made
    assert made.count(">struck</span>") == made.count(">healed</span>") == 4
    assert made.count('<b class="long">during</b>') == 4
    # Its first second after the heal has no sample of staleness: the next one has the mark.
    assert made.count(' diamond"') == 4


def test_a_drill_without_a_curve_says_so() -> None:
    seen = text(page.render(built(drilled(replace(repetition(hit=False), curve=None))), "drills-1"))
    assert "no repetition that hit has a sample of its load phase" in seen


def test_the_curve_is_of_the_first_that_failed_else_of_the_first_that_hit() -> None:
    curve = repetition().curve
    assert curve is not None
    runs = [
        replace(repetition(hit=hit, why_failed=why), curve={**curve, "run_id": name})
        for name, hit, why in (("missed", False, ""), ("hit", True, ""), ("failed", True, "lost"))
    ]
    assert document.curve(runs) == runs[2].curve
    assert document.curve(runs[:2]) == runs[1].curve
    assert document.curve(runs[:1]) is None


def test_the_page_of_the_drills_that_latest_points_at_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: Drills = built(drilled(repetition(), repetition(hit=False, lost=2)))
    folder = tmp_path / "1-drills-1"
    assert leave(folder, FILE, told, "a page") == ""
    monkeypatch.setattr(sys, "argv", ["bench", "report", str(tmp_path / "latest")])
    assert main() == 0
    assert (folder / "report.html").read_text(encoding="utf-8") == page.render(told, folder.name)
    (folder / FILE).write_text('{"schema": 1, "target": {}, "drills": [{"name": "x"}]}', encoding="utf-8")
    with pytest.raises(SetupError, match=r"Object missing required field"):
        command.render(folder)
    for curve in ({**CURVE, "t_s": [1.0]}, {**CURVE, **{key: [] for key in LISTS}}):
        write_json(folder / FILE, {**told, "drills": [{**told["drills"][0], "curve": curve}]})
        with pytest.raises(SetupError, match=r"\$\.drills\[0\]\.curve: its lists are empty, or not of one length"):
            command.render(folder)


def test_nothing_in_drills_becomes_markup() -> None:
    evil = replace(repetition(why_failed=EVIL), what=EVIL, run_id=EVIL, errors={EVIL: 1})
    told = built(drilled(evil))
    told["not_applicable"] = [{"name": EVIL, "strategy": EVIL, "why": EVIL}]
    seen = page.render(told, EVIL)
    assert "<img" not in seen
    assert "alert(" in seen
