"""The gate for CI: thresholds, a baseline file, pairs against a revision, exit codes and Markdown."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from bench import ROOT
from bench import __main__ as main
from bench.answers.gate import command
from bench.answers.gate.baseline import of_trials, read_baseline
from bench.answers.gate.judge import Bounds, against_file, against_revision, verdict
from bench.answers.gate.requirement import figures, requirements
from bench.compare.arms import revisions
from bench.compare.arms.variables import ambient
from bench.compare.loaded import load
from bench.compare.metrics import values
from bench.ends.errors import SetupError
from bench.ends.signals import Interrupted
from bench.preflight import description
from bench.preflight.settings import Settings
from metrics.records.answers.gate import FILE
from metrics.records.result import Correctness, Latency, Percentiles, Throughput, Visibility
from metrics.records.sections.convergence import Convergence
from metrics.records.verification import Verification
from settings import SettingError
from settings.command_line.arguments import Parser
from tests.unit.bench import bundles
from tests.unit.bench.bundles import result

Trial = Callable[[int], Mapping[str, Any]]


@pytest.mark.parametrize(
    ("spelled", "holds", "because"),
    [
        ("visibility_ms.p99<50", True, ""),
        (" latency_ms.actions.p99 <= 7.7 ", True, ""),
        ("throughput.actions_per_s > 433", False, "it is 432.1"),
        ("throughput.errors == 0", True, ""),
        ("convergence.events>=1000", True, ""),
        ("generator.saturated==0", True, ""),
        ("staleness.read_your_writes>=0.5", False, "not told: not told"),
        ("neighbours.cpu_share<0.05", False, "not told"),
    ],
)
def test_a_threshold_on_any_figure(spelled: str, holds: bool, because: str) -> None:
    (one,) = requirements([spelled])
    told = one.judge([result()])
    assert (told["holds"], told["because"]) == (holds, because)


NOTHING: dict[str, Any] = {
    "visibility_ms": Visibility(),
    "latency_ms": Latency(),
    "throughput": Throughput(reads=5),
    "convergence": Convergence(),
    "correctness": Correctness(),
}


@pytest.mark.parametrize(
    ("spelled", "because"),
    [
        ("visibility_ms.p99<50", "no write was seen to become visible"),
        ("latency_ms.actions.p99<50", "no such request was answered"),
        ("convergence.time_s<5", "nobody wrote"),
        ("staleness.unseen==0", "not told"),
        ("waterfall_ms.disagreements==0", "not told"),
        ("correctness.lost==0", "no event was checked"),
        ("correctness.acknowledged_missing==0", "no acknowledged write was checked"),
    ],
)
def test_a_zero_that_nobody_measured_does_not_hold(spelled: str, because: str) -> None:
    (one,) = requirements([spelled])
    told = one.judge([replace(result(), **NOTHING)])
    assert (told["value"], told["holds"], told["because"]) == (None, False, f"not told: {because}")


@pytest.mark.parametrize("spelled", ["throughput.errors==0", "backlog.max<9", "generator.saturated==0"])
def test_a_run_without_load_holds_nothing(spelled: str) -> None:
    (one,) = requirements([spelled])
    ended = replace(result(), throughput=Throughput(), verdict="invalid", why="the API fell")
    assert one.judge([ended])["because"] == "not told: the API fell"


def test_the_time_of_a_convergence_that_timed_out_is_no_time_within_which_it_converged() -> None:
    (one,) = requirements(["convergence.time_s<50"])
    ended = replace(result(), verdict="timed_out", why="backlog still 7")
    assert one.judge([ended])["because"] == "not told: the run is timed_out: backlog still 7"


def test_what_nobody_measured_is_no_value_to_compare() -> None:
    told = values(replace(result(), **NOTHING), Verification())
    assert set(told) == {"actions_per_s", "reads_per_s", "backlog_max"}
    assert {"projected_p50_ms", "visible_p50_ms"} <= set(values(result(), Verification(projected_samples=1)))


@pytest.mark.parametrize(
    ("base", "now", "ratio", "answer"),
    [
        (100.0, 140.0, 1.4, "no verdict"),
        (100.0, 60.0, 0.6, "no verdict"),
        (100.0, 101.0, 1.4, "no verdict"),
        (100.0, 105.0, 1.05, "ok"),
        (0.2, 0.29, 1.45, "ok"),
        (None, None, None, "told"),
        (100.0, None, None, "no verdict"),
    ],
)
def test_pairs_that_show_nothing_are_ok_only_within_the_bounds(
    base: float | None, now: float | None, ratio: float | None, answer: str
) -> None:
    contrast = {"answer": "no verdict", "because": "the pairs contradict each other", "ratio": ratio}
    told = {"name": "action_p50_ms", "arms": [{"median": base}, {"median": now}], "contrasts": [contrast]}
    found: Any = {"metrics": [told], "no_verdict": "", "pairs": {"complete": 5, "needed": 5}}
    judged = {one["name"]: one for one in against_revision(found, Bounds())}
    assert judged["action_p50_ms"]["answer"] == answer


def test_a_threshold_is_held_against_the_median_of_trials_and_one_that_is_silent_fails_it() -> None:
    (one,) = requirements(["latency_ms.actions.p50<6"])
    trials = [replace(result(), latency_ms=Latency(Percentiles(p50=p50))) for p50 in (1.0, 5.0, 9.0)]
    assert one.judge(trials)["value"] == 5.0
    (silent,) = requirements(["convergence.speed_events_per_s>1"])
    convergence = replace(result().convergence, speed_events_per_s=None, why="nothing was left")
    told = silent.judge([result(), replace(result(), convergence=convergence)])
    assert (told["holds"], told["because"]) == (False, "not told: nothing was left")


@pytest.mark.parametrize(
    ("spelled", "told"),
    [
        ("visibility_ms.p9<50", "no figure visibility_ms.p9; say visibility_ms.p99"),
        ("visibility_ms<50", "no figure visibility_ms; say visibility_ms.p99"),
        ("settings.VUS<50", "no figure settings.VUS"),
        ("visibility_ms.p99", "is no threshold"),
        ("visibility_ms.p99<fast", "is no threshold"),
    ],
)
def test_what_is_no_figure_or_no_threshold_is_refused_with_near_names(spelled: str, told: str) -> None:
    with pytest.raises(SetupError, match=r"--require") as refused:
        requirements([spelled])
    assert told in " ".join(str(refused.value).split())


def test_every_section_of_figures_can_be_required() -> None:
    named = {path.split(".")[0] for path in figures()}
    assert named >= {
        "throughput",
        "visibility_ms",
        "staleness",
        "waterfall_ms",
        "convergence",
        "correctness",
        "neighbours",
    }


BASE = [100.0, 101.0, 102.0]


@pytest.mark.parametrize(
    ("name", "now", "answer"),
    [
        ("actions_per_s", [99.0, 100.0, 101.0], "ok"),
        ("actions_per_s", [80.0, 81.0, 82.0], "regression"),
        ("actions_per_s", [120.0, 121.0, 122.0], "better"),
        ("action_p50_ms", [120.0, 121.0, 122.0], "regression"),
        ("action_p50_ms", [80.0, 81.0, 82.0], "better"),
        ("action_p50_ms", [102.0, 125.0, 130.0], "no verdict"),
        ("action_p50_ms", [130.0, 131.0], "no verdict"),
        ("action_p50_ms", [], "no verdict"),
        ("action_p99_ms", [200.0, 201.0, 202.0], "told"),
    ],
)
def test_worse_is_beyond_tolerance_and_beyond_noise(name: str, now: Sequence[float], answer: str) -> None:
    judged = {one["name"]: one for one in against_file({name: BASE}, {name: now}, Bounds(), "")}
    assert judged[name]["answer"] == answer


def test_a_difference_below_the_floor_does_not_count_however_large_a_share_it_is() -> None:
    told = {"visible_p50_ms": [1.0, 1.0, 1.0]}, {"visible_p50_ms": [1.3, 1.3, 1.3]}
    assert verdict(against_file(*told, Bounds(), ""), "") == "regression"
    assert verdict(against_file(*told, Bounds(floors={"visible_p50_ms": 0.5}), ""), "") == "ok"
    assert verdict(against_file(*told, Bounds({"visible_p50_ms": 0.4}), ""), "") == "ok"
    assert verdict(against_file(*told, Bounds(), "a neighbour"), "") == "no verdict"


class Arm:
    """Bundles written by hand in the place of trials."""

    taken = 0

    def __init__(self, name: str, changed: Trial, settings: Settings | None = None, **written: Any) -> None:
        self.name, self.changed, self.written = name, changed, written
        self.settings = settings or Settings.from_env({})

    def run(self, results: Path, number: int, title: str, console: Console) -> Path:
        Arm.taken += 1
        changed = {"settings": self.settings.recorded(), **self.changed(number)}
        return bundles.write(results, f"run-{Arm.taken}", changed=changed, **self.written)


def slower(share: float) -> Trial:
    """Every action takes longer, a little more in each trial."""
    return lambda number: {"latency_ms": Latency(Percentiles(p50=5.0 * (1 + share) + number / 100))}


@pytest.fixture(autouse=True)
def like_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "machine", lambda: bundles.MACHINE)
    for name in ("DURATION", "WARMUP", "HOLD", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def play(monkeypatch: pytest.MonkeyPatch, trial: Trial, **written: Any) -> None:
    """What trials of this revision are like."""
    monkeypatch.setattr(command, "Here", lambda name, settings: Arm(name, trial, settings, **written))


def gate(tmp_path: Path, *words: str) -> tuple[int, str]:
    parser, out = Parser(), StringIO()
    command.add_arguments(parser)
    given = parser.parse_args(words, argparse.Namespace(mode=None, scenario="throughput", results=tmp_path))
    return command.gate(given, Console(file=out, width=200)), out.getvalue()


@pytest.fixture
def baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    play(monkeypatch, slower(0))
    code, out = gate(tmp_path, "--baseline", str(tmp_path / "b.json"), "--write", "--trials", "3")
    assert (code, "commit it" in out) == (0, True)
    return str(tmp_path / "b.json")


def document(tmp_path: Path) -> dict[str, Any]:
    return dict(json.loads((tmp_path / "latest" / FILE).read_text()))


@pytest.mark.parametrize(
    ("share", "words", "code", "found"),
    [
        (0.0, ["--enforce"], 0, "ok"),
        (0.2, [], 0, "regression"),
        (0.2, ["--enforce"], 1, "regression"),
        (0.2, ["--enforce", "--tolerance", "action_p50_ms=0.3"], 0, "ok"),
        (0.2, ["--enforce", "--floor", "action_p50_ms=2"], 0, "ok"),
        (-0.2, ["--enforce"], 0, "ok"),
        (0.0, ["--require", "latency_ms.actions.p50<1"], 1, "ok"),
    ],
)
def test_against_a_file(
    share: float,
    words: list[str],
    code: int,
    found: str,
    baseline: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play(monkeypatch, slower(share))
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    given, out = gate(tmp_path, "--baseline", baseline, "--trials", "3", *words)
    told = document(tmp_path)
    assert (given, told["verdict"], told["failed"]) == (code, found, code == 1)
    page = (tmp_path / "latest" / "gate.md").read_text()
    assert summary.read_text() == "before\n" + page
    assert page.startswith(f"### tidemark gate: {found}")
    assert ("(report only)" in page) == (found == "regression" and "--enforce" not in words)
    assert all(line in out for line in page.splitlines())
    assert "| Action latency, p50 | 5.02 ms |" in page


@pytest.mark.parametrize(("bound", "code"), [("9", 0), ("5", 1)])
def test_thresholds_alone_are_held_against_trials_of_this_revision(
    bound: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, slower(0))
    given, out = gate(tmp_path, "--require", f"latency_ms.actions.p50<{bound}", "--trials", "3")
    told = document(tmp_path)
    assert (given, told["failed"], told["metrics"], len(told["run_ids"])) == (code, bool(code), [], 3)
    assert ("Against" in out, "3 trials." in out) == (False, True)


def test_the_page_is_made_again_from_the_document_and_has_every_answer(
    baseline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, slower(0.2))
    gate(tmp_path, "--baseline", baseline, "--trials", "3", "--require", "latency_ms.actions.p50<1")
    folder = tmp_path / "latest"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert main._renderer(folder)(folder) == page
    told = document(tmp_path)
    for said in ("Failed", "regression", "does not hold", *told["run_ids"], *(one["label"] for one in told["metrics"])):
        assert said in page


@pytest.mark.parametrize("words", [["--baseline"], ["--against", "main"], ["--require", "throughput.errors==0"]])
def test_what_was_measured_before_a_signal_is_kept(
    words: list[str], baseline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(number: int) -> Mapping[str, Any]:
        if number == 3:
            raise Interrupted(2)
        return slower(0)(number)

    @contextmanager
    def prepared(*_: Any) -> Iterator[list[Arm]]:
        yield [Arm("main 1234567", end), Arm("HEAD 7654321", end)]

    monkeypatch.setattr(revisions, "prepared", prepared)
    play(monkeypatch, end)
    with pytest.raises(Interrupted):
        gate(tmp_path, *words, *([baseline] if words == ["--baseline"] else []))
    told = document(tmp_path)
    assert (told["verdict"], told["failed"], told["why"]) == ("unsound", True, "the comparison was interrupted")
    assert len(told["run_ids"]) == (4 if "--against" in words else 2)


def test_a_doubt_forbids_a_verdict_and_is_told(baseline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(
        monkeypatch, lambda number: {**slower(0.5)(number), "doubts": ["other processes took 40% of the usable cores"]}
    )
    code, out = gate(tmp_path, "--baseline", baseline, "--trials", "3", "--enforce")
    assert (code, document(tmp_path)["verdict"]) == (0, "no verdict")
    assert "doubt: " in out
    code, out = gate(tmp_path, "--baseline", str(tmp_path / "other.json"), "--write")
    assert (code, "no baseline is written" in out, (tmp_path / "other.json").exists()) == (1, True, False)


def test_unsound_trials_fail_whether_it_is_enforced_or_not(
    baseline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, slower(0), verdict="diverged", why="1 fault(s)")
    code, _ = gate(tmp_path, "--baseline", baseline, "--trials", "3")
    assert (code, document(tmp_path)["verdict"], document(tmp_path)["metrics"]) == (1, "unsound", [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"method": "1"}, "is of method 1"),
        ({"machine": {**bundles.MACHINE, "cores": 64}}, "another machine (cores differ); measure both revisions"),
        ({"scenario": "reads"}, "scenario: reads then, throughput now"),
        ({"settings": {"VUS": 7}}, "VUS: 7 then"),
        ({"postgres": {"version": "14.1"}}, "version: 14.1 then, 18.6 now"),
    ],
)
def test_what_was_measured_otherwise_is_refused_by_name(
    change: dict[str, Any], told: str, baseline: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(baseline)
    written = json.loads(path.read_text())
    part = {name: {**written[name], **value} if name == "settings" else value for name, value in change.items()}
    path.write_text(json.dumps({**written, **part}))
    before = Arm.taken
    with pytest.raises(SetupError, match="--baseline") as refused:
        gate(tmp_path, "--baseline", baseline, "--trials", "3")
    assert told in " ".join(str(refused.value).split())
    assert Arm.taken - before == ("postgres" in change), "as early as it can be known"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to compare with"),
        (["--write", "--require", "throughput.errors==0"], "nothing to compare with"),
        (["--against", "main", "--baseline", "b.json"], "different gates"),
        (["--baseline", "nowhere.json"], "there is no such file"),
        (["--against", "main", "--tolerance", "speed=0.1"], "'speed' is no metric"),
        (["--against", "main", "--floor", "backlog_max=much"], "--floor"),
    ],
)
def test_what_can_not_be_asked_is_refused(words: list[str], told: str, tmp_path: Path) -> None:
    with pytest.raises((SetupError, SettingError)) as refused:
        gate(tmp_path, *words)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("share", "pairs", "words", "code", "found"),
    [
        (0.0, 5, ["--enforce"], 0, "ok"),
        (0.2, 5, ["--enforce"], 1, "regression"),
        (0.2, 5, [], 0, "regression"),
        (0.05, 5, ["--enforce"], 0, "ok"),
        (-0.2, 5, ["--enforce"], 0, "ok"),
        (0.2, 3, ["--enforce"], 0, "no verdict"),
    ],
)
def test_against_a_revision(
    share: float,
    pairs: int,
    words: list[str],
    code: int,
    found: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @contextmanager
    def prepared(named: Sequence[str], *_: Any) -> Iterator[list[Arm]]:
        assert named == ["main", "HEAD"]
        yield [Arm("main 1234567", slower(0)), Arm("HEAD 7654321", slower(share))]

    monkeypatch.setattr(revisions, "prepared", prepared)
    given, _ = gate(tmp_path, "--against", "main", "--trials", str(pairs), *words)
    told = document(tmp_path)
    assert (given, told["verdict"], told["against"], len(told["run_ids"])) == (code, found, "`main 1234567`", 2 * pairs)


def test_a_baseline_is_read_back_as_it_was_written(baseline: str, tmp_path: Path) -> None:
    written = read_baseline(Path(baseline))
    trials = [load(tmp_path / run_id) for run_id in written["run_ids"]]
    again = of_trials(trials, Settings.from_env(ambient()))
    assert {**again, "written_at": ""} == {**written, "written_at": ""}


def test_the_workflow_of_the_docs_calls_what_there_is() -> None:
    written = (ROOT / "docs" / "examples" / "bench-gate.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(written)
    assert "add --enforce" in written
    lines = [line for step in workflow["jobs"]["gate"]["steps"] for line in step.get("run", "").splitlines()]
    (called,) = [line for line in lines if "task bench:gate" in line]
    assert "bench:gate" in yaml.safe_load((ROOT / "Taskfile.yml").read_text(encoding="utf-8"))["tasks"]
    parser = Parser()
    command.add_arguments(parser)
    words = shlex.split(called)
    words = words[words.index("--") + 1 :]
    given = parser.parse_args(words)
    assert (bool(given.against), given.baseline, given.enforce) == (True, None, False)
    assert parser.parse_args([*words, "--enforce"]).enforce
    assert requirements(given.require)
