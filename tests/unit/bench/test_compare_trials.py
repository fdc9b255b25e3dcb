"""The sitting of a comparison: trials by turns, stopped by the first that gives no result."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bench.compare.command import COMPARISON, compare
from bench.ends.errors import RunFailed, SetupError
from bench.trial import runner
from metrics.records.result import METHOD, Verdict
from settings import SettingError
from tests.unit.bench import bundles

OPTIONS = {
    "bundles": [],
    "anyway": False,
    "trials": None,
    "projectors": None,
    "arm": None,
    "revision": None,
    "mode": None,
    "scenario": "throughput",
}
Took = list[runner.Trial]
End = Callable[[int], Verdict]


@pytest.fixture
def took(monkeypatch: pytest.MonkeyPatch) -> Took:
    """The trials that were run; in the place of each, a bundle is written by hand. All of them converge."""
    return plant(monkeypatch, lambda _: "converged")


def plant(monkeypatch: pytest.MonkeyPatch, end: End, method: Callable[[int], str] = lambda _: METHOD) -> Took:
    trials: Took = []

    def run(trial: runner.Trial, _: object) -> SimpleNamespace:
        trials.append(trial)
        run_id = f"run-{len(trials)}"
        changed: dict[str, Any] = {"settings": trial.settings.recorded(), "mode": trial.settings.mode}
        changed |= {"trial": trial.number, "method": method(len(trials))}
        verdict = end(len(trials))
        folder = bundles.write(
            trial.results, run_id, verdict=verdict, why="" if verdict == "converged" else "planted", changed=changed
        )
        bundle = SimpleNamespace(folder=folder, missing={})
        return SimpleNamespace(bundle=bundle, cause=None, tell=lambda: None)

    monkeypatch.setattr(runner, "run", run)
    for name in ("BASE_URL", "DATABASE_URL", "DURATION", "PROJECTORS", "SERIAL_PROJECTION", "SEED"):
        monkeypatch.delenv(name, raising=False)
    return trials


def sit(tmp_path: Path, **options: Any) -> tuple[int, str]:
    out = StringIO()
    code = compare(Namespace(**{**OPTIONS, **options}, results=tmp_path), Console(file=out, width=100))
    return code, out.getvalue()


def comparison(tmp_path: Path) -> dict[str, Any]:
    (path,) = tmp_path.glob(f"*-compare-*/{COMPARISON}")
    return dict(json.loads(path.read_text()))


def test_the_modes_take_turns(took: Took, tmp_path: Path) -> None:
    code, _ = sit(tmp_path, trials="2")
    assert code == 0
    turns = [(trial.settings.mode, trial.number) for trial in took]
    assert [set(turns[:2]), set(turns[2:])] == [{("serial", 1), ("parallel", 1)}, {("serial", 2), ("parallel", 2)}]
    document = comparison(tmp_path)
    assert [trial["run_id"] for trial in document["trials"]] == ["run-1", "run-2", "run-3", "run-4"]
    assert [(trial["arm"], trial["pair"]) for trial in document["trials"]] == turns


def test_the_order_of_each_pair_is_drawn_by_lot(took: Took, tmp_path: Path) -> None:
    sit(tmp_path, trials="50")
    first = [trial.settings.mode for trial in took[::2]]
    # Two of 2^50 draws have less than one of each; fewer than eight of either are one in a million.
    assert min(first.count("serial"), first.count("parallel")) >= 8
    assert [trial.number for trial in took] == [number for number in range(1, 51) for _ in range(2)]


def test_the_default_is_what_a_verdict_takes(took: Took, tmp_path: Path) -> None:
    _, said = sit(tmp_path)
    assert len(took) == 10
    assert "· 10 trials, 5 of each, in about 4 minutes" in said
    assert "trial 10 of 10" in said
    assert comparison(tmp_path)["pairs"] == {
        "planned": 5,
        "complete": 5,
        "needed": 5,
        "drawn": True,
        "error_rate": 1 / 16,
    }
    (tmp_path / "three").mkdir()
    sit(tmp_path / "three", projectors="1,2,4")
    assert len(took) == 10 + 18


def test_trials_are_short_unless_told_otherwise(took: Took, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sit(tmp_path, trials="1")
    monkeypatch.setenv("DURATION", "17s")
    (tmp_path / "other").mkdir()
    sit(tmp_path / "other", trials="1")
    assert [trial.settings.duration_s for trial in took] == [8, 8, 17, 17]


def test_numbers_of_projectors_take_turns(took: Took, tmp_path: Path) -> None:
    code, said = sit(tmp_path, projectors="1,2,4", trials="3", mode="serial")
    assert code == 0
    counts = [trial.settings.projectors for trial in took]
    assert [set(counts[:3]), set(counts[3:6]), set(counts[6:])] == [{1, 2, 4}] * 3
    assert {trial.settings.mode for trial in took} == {"serial"}
    document = comparison(tmp_path)
    assert document["arms"] == ["PROJECTORS=1", "PROJECTORS=2", "PROJECTORS=4"]
    assert document["differs"] == {"PROJECTORS": ["1", "2", "4"]}
    assert "Actions: PROJECTORS=4 432/s, PROJECTORS=1 432/s: no verdict" in said


@pytest.mark.parametrize("verdict", ["diverged", "blocked", "invalid"])
def test_a_void_trial_ends_the_comparison_without_a_number(
    verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = plant(monkeypatch, lambda number: verdict if number == 2 else "converged")
    code, said = sit(tmp_path)
    assert (code, len(took)) == (1, 2)
    why = f"trial 2 ({took[1].settings.mode}) is {verdict}: planted"
    assert f"No comparison of serial and parallel: {why}" in said
    document = comparison(tmp_path)
    assert (document["why"], document["metrics"], document["sound"]) == (why, [], False)
    assert [trial["values"] for trial in document["trials"]] == [{}, {}]


def test_a_trial_by_another_method_ends_the_comparison_without_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = plant(monkeypatch, lambda _: "converged", lambda number: "1" if number == 4 else METHOD)
    code, _ = sit(tmp_path)
    document = comparison(tmp_path)
    assert (code, len(took)) == (1, 4)
    assert document["why"] == f"run-4 was measured by method 1, and run-1 by method {METHOD}"
    assert (document["metrics"], document["sound"]) == ([], False)


def test_trials_that_timed_out_are_lower_bounds_and_make_the_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, lambda number: "timed_out" if number % 2 else "converged")
    code, said = sit(tmp_path)
    assert code == 1
    assert "5 of them proved right, 5 timed out" in said
    assert "5 trial(s) timed out: their convergence time is a lower bound" in said


def interrupt_at(trial: int) -> End:
    def end(number: int) -> Verdict:
        if number == trial:
            raise KeyboardInterrupt
        return "converged"

    return end


@pytest.mark.parametrize(("at", "pairs"), [(4, 1), (12, 5)])
def test_an_interrupted_comparison_keeps_its_pairs_as_a_hint(
    at: int, pairs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, interrupt_at(at))
    with pytest.raises(KeyboardInterrupt):
        sit(tmp_path, trials="6")
    document = comparison(tmp_path)
    assert (document["why"], len(document["trials"]), document["pairs"]["complete"]) == ("", at - 1, pairs)
    assert document["no_verdict"] == f"the comparison was interrupted after {pairs} of 6 pairs: a hint at most"
    assert {c["answer"] for m in document["metrics"] for c in m["contrasts"]} == {"no verdict"}


def test_a_trial_that_can_not_be_run_is_named_and_what_was_measured_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> Verdict:
        if number == 3:
            raise RunFailed("Postgres did not start")
        return "converged"

    took = plant(monkeypatch, fail)
    with pytest.raises(RunFailed):
        sit(tmp_path, trials="2")
    told = f"trial 3 of 4 ({took[2].settings.mode}) could not be run (Postgres did not start)"
    assert comparison(tmp_path)["no_verdict"] == f"{told} after 1 of 2 pairs: a hint at most"


def test_a_comparison_that_is_interrupted_in_its_first_pair_is_kept_as_void(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, interrupt_at(2))
    with pytest.raises(KeyboardInterrupt):
        sit(tmp_path)
    assert comparison(tmp_path)["why"] == "the comparison was interrupted"


def test_any_settings_are_arms(took: Took, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VUS", "9")
    sit(tmp_path, arm=[["HANDLER=set"], ["HANDLER=each", "VUS=20"]], trials="1", mode="serial")
    assert {(trial.settings.handler, trial.settings.users) for trial in took} == {("set", 9), ("each", 20)}
    assert {trial.settings.mode for trial in took} == {"serial"}
    document = comparison(tmp_path)
    assert document["arms"] == ["HANDLER=set", "HANDLER=each VUS=20"]
    assert document["differs"] == {"HANDLER": ["set", "each"], "VUS": ["9", "20"]}


def test_targets_are_arms(took: Took, tmp_path: Path) -> None:
    code, said = sit(tmp_path, arm=[["TARGET=crud"], ["TARGET=tidemark"]], trials="2")
    found = comparison(tmp_path)
    assert (code, found["arms"]) == (0, ["TARGET=crud", "TARGET=tidemark"])
    assert sorted(trial.settings.target.name for trial in took) == ["crud", "crud", "tidemark", "tidemark"]
    assert found["differs"]["TARGET"] == ["crud", "tidemark"]
    assert "crud" in said


def test_the_same_against_the_same_is_two_arms(took: Took, tmp_path: Path) -> None:
    sit(tmp_path, arm=[[], []], trials="5")
    document = comparison(tmp_path)
    assert (document["arms"], document["differs"]) == (["A: as it is", "B: as it is"], {})
    assert {c["answer"] for m in document["metrics"] for c in m["contrasts"]} == {"no verdict"}


def test_an_arm_tells_no_secret(took: Took, tmp_path: Path) -> None:
    _, said = sit(tmp_path, arm=[["DATABASE_URL=postgresql://me:hunter2@127.0.0.1/x"], ["VUS=2"]], trials="1")
    assert "hunter2" not in said + (next(tmp_path.glob("*-compare-*")) / COMPARISON).read_text()


def test_a_system_of_somebody_else_can_not_change_its_mode(
    took: Took, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.platforms.compose.place.find", lambda: None)
    monkeypatch.setenv("BASE_URL", "http://127.0.0.1:8000")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@127.0.0.1/x")
    with pytest.raises(SetupError, match="BASE_URL: the trials of a comparison differ in mode"):
        sit(tmp_path)
    assert took == []


def test_a_store_that_the_trials_share_is_said(took: Took, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@127.0.0.1/x")
    _, said = sit(tmp_path, trials="1")
    assert "grows from trial to trial" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"trials": "0"}, "--trials='0' is not usable"),
        ({"trials": ""}, "--trials"),
        ({"arm": [["HANDLER=set"]]}, "--arm: one arm is no comparison"),
        ({"arm": [["HANDLER"], []]}, "--arm: 'HANDLER' sets nothing; say VARIABLE=value"),
        ({"arm": [["HANDLR=set"], []]}, "--arm: HANDLR is no setting of a run; say HANDLER"),
        ({"arm": [["HANDLER=some"], []]}, "HANDLER='some' is not usable"),
        ({"arm": [[], []], "projectors": "1,2"}, "--arm and --projectors: are different comparisons; say one of them"),
        ({"revision": ["HEAD"]}, "--revision: 1 named; say it twice"),
        ({"revision": ["HEAD", "nowhere"]}, "--revision: 'nowhere' is no revision of this repository"),
        ({"revision": ["HEAD", "--all"]}, "--revision: '--all' is no revision of this repository"),
        ({"trials": "many"}, "--trials='many' is not usable"),
        ({"projectors": "1,x"}, "--projectors='x' is not usable"),
        ({"projectors": "2"}, "--projectors: '2' is no list of different numbers"),
        ({"projectors": "2,2"}, "--projectors: '2,2' is no list of different numbers"),
    ],
)
def test_a_bad_option_is_refused_by_its_name(
    options: dict[str, str], complaint: str, took: Took, tmp_path: Path
) -> None:
    with pytest.raises((SettingError, SetupError), match=complaint):
        sit(tmp_path, **options)
    assert took == []
