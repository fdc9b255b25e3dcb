"""`task drill`: which faults under which strategies, what does not apply, and what is kept when it is broken off."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import StringIO
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bench.__main__ import main
from bench.drill import choice, command
from bench.drill.repeated import ATTEMPTS, Drill, planned
from bench.drill.repetition import Repetition
from bench.ends.errors import SetupError
from bench.ends.signals import Interrupted
from bench.platforms.platform import Kill, LacksPower, LacksShards
from bench.preflight.settings import Settings
from bench.trial.fault import NotApplicable, chance, names
from bench.trial.result import target_of
from settings import SettingError, strategies
from tests.unit.bench.drills import Strikes

ALL = set(strategies.offered())
FEW = ("kill-api", "kill-projector", "restart-postgres")
PARALLEL = {"stream-leases", "stream-locks"}


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of whoever runs the tests narrows a drill."""
    for name in ("BASE_URL", "DATABASE_URL", "STRATEGY", "SERIAL_PROJECTION", "HANDLER_LATENCY_MS", "SEED", "VUS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TARGET", "tidemark")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were few faults."""
    monkeypatch.setattr(choice, "names", lambda: FEW)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def ran(results: Path, *words: str, strikes: Strikes | None = None) -> tuple[int, str]:
    """Exit code and words of a sitting in which each look at the clock is a second later."""
    said, seconds = StringIO(), count()
    arguments = argparse.Namespace(**vars(parsed(*words)), results=results)
    console = Console(file=said, width=200)
    code = command.drill(arguments, console, strikes or Strikes(), lambda: float(next(seconds)))
    return code, said.getvalue()


def found(results: Path) -> dict[str, Any]:
    (path,) = results.glob("*-drills-*/drills.json")
    return dict(json.loads(path.read_text()))


def test_without_a_name_every_fault_is_run_in_every_strategy(tmp_path: Path) -> None:
    strikes = Strikes()
    code, said = ran(tmp_path, strikes=strikes)
    pairs = [(name, strategy) for name in names() for strategy in strategies.offered()]
    assert [(one.name, one.settings.strategy) for one, _ in strikes.struck] == pairs
    document = found(tmp_path)
    assert [(one["name"], one["strategy"]) for one in document["drills"]] == pairs
    assert code == 0
    assert (document["why"], document["not_applicable"], document["target"]["name"]) == ("", [], "tidemark")
    assert document["took_s"] > 0
    assert f"· {len(pairs)} repetitions of {len(pairs)} drills, in about " in said
    assert f"drill 2 of {len(pairs)}, " in said
    assert f"{len(pairs)} of {len(pairs)} drills passed" in said
    assert (tmp_path / "latest" / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        (["--strategy", "stream-locks"], {}, {"stream-locks"}),
        (["--strategy", "stream-locks,global-order"], {}, {"stream-locks", "global-order"}),
        (["--strategy", "stream-locks", "--strategy", "global-order"], {}, {"stream-locks", "global-order"}),
        (["--mode", "serial"], {}, {"global-order"}),
        (["--mode", "parallel"], {}, PARALLEL),
        ([], {"STRATEGY": "stream-locks"}, {"stream-locks"}),
        ([], {"SERIAL_PROJECTION": "true"}, {"global-order"}),
        ([], {"SERIAL_PROJECTION": "false"}, PARALLEL),
        (["--strategy", "global-order"], {"SERIAL_PROJECTION": "false"}, {"global-order"}),
        (["--strategy", "all"], {"STRATEGY": "stream-locks", "SERIAL_PROJECTION": "false"}, ALL),
        (["--strategy", "all", "--mode", "parallel"], {}, PARALLEL),
    ],
)
@pytest.mark.usefixtures("few")
def test_options_and_variables_narrow_the_strategies(
    words: list[str], variables: Mapping[str, str], expected: set[str]
) -> None:
    drills = choice.choose(parsed(*words), variables).drills
    pairs = [(one.name, one.settings.strategy) for one in drills]
    assert set(pairs) == {(name, strategy) for name in FEW for strategy in expected}
    assert len(pairs) == len(set(pairs))


def test_a_fault_that_is_named_runs_under_the_strategy_of_a_run_unless_more_are_asked_for(tmp_path: Path) -> None:
    ran(tmp_path / "one", "kill-api")
    assert [one["strategy"] for one in found(tmp_path / "one")["drills"]] == ["stream-leases"]
    ran(tmp_path / "all", "kill-api", "--strategy", "all")
    assert {one["strategy"] for one in found(tmp_path / "all")["drills"]} == ALL


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--strategy", "nonsense"], "STRATEGY='nonsense'"),
        (["--strategy", "stream-locks", "--mode", "serial"], "STRATEGY='stream-locks'"),
        (["--repeat", "0"], "--repeat='0'"),
        (["--seed", "x"], "--seed='x'"),
        (["nonsense"], "fault='nonsense'"),
    ],
)
def test_what_can_not_be_used_is_refused_before_any_work(words: list[str], said: str, tmp_path: Path) -> None:
    strikes = Strikes()
    with pytest.raises(SettingError) as refusal:
        ran(tmp_path, *words, strikes=strikes)
    assert said in str(refusal.value)
    assert strikes.struck == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("few")
def test_a_strategy_that_can_not_have_a_setting_does_not_apply_unless_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDLER_LATENCY_MS", "5")
    code, said = ran(tmp_path)
    document = found(tmp_path)
    assert code == 0
    assert {one["strategy"] for one in document["drills"]} == ALL - {"stream-locks"}
    assert {one["strategy"] for one in document["not_applicable"]} == {"stream-locks"}
    assert "a handler that costs time needs a lease" in said
    with pytest.raises(SettingError, match="needs a lease"):
        ran(tmp_path, "--strategy", "stream-locks")


def test_a_target_without_strategies_is_drilled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET", "crud")
    strikes = Strikes(lambda one, it: replace(it, target=target_of(one.settings.target)))
    ran(tmp_path, strikes=strikes)
    # It has one shard.
    assert [one.name for one, _ in strikes.struck] == [name for name in names() if name != "lose-one-shard"]
    document = found(tmp_path)
    assert {one["strategy"] for one in document["drills"]} == {"not told"}
    assert document["target"]["name"] == "crud"


def lacking(name: str, error: SetupError, *under: str) -> Callable[[Drill, Repetition], Repetition]:
    """A fault that can not be set up under some strategies; it is applicable under all others."""

    def change(one: Drill, it: Repetition) -> Repetition:
        if one.name == name and (not under or one.settings.strategy in under):
            raise error
        return it

    return change


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("lack", "why"),
    [
        (LacksPower("theirs", Kill, "api"), "platform theirs has no power to kill the api"),
        (LacksShards("SHARDS", "is 2, and its store is of 1", "set SHARDS=1"), "SHARDS is 2, and its store is of 1"),
    ],
    ids=["power", "shards"],
)
def test_what_a_platform_lacks_is_told_for_each_strategy_and_looked_for_once(
    lack: SetupError, why: str, tmp_path: Path
) -> None:
    strikes = Strikes(lacking("kill-api", lack))
    code, said = ran(tmp_path, strikes=strikes)
    document = found(tmp_path)
    told = [{"name": "kill-api", "strategy": one, "why": why} for one in strategies.offered()]
    assert (code, document["not_applicable"]) == (0, told)
    assert [one.name for one, _ in strikes.struck].count("kill-api") == 1
    assert "kill-api" not in {one["name"] for one in document["drills"]}
    assert f"kill-api ({', '.join(strategies.offered())}) does not apply: {why}" in said
    assert why in (tmp_path / "latest" / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("few")
def test_what_does_not_apply_under_one_strategy_is_run_under_the_others(tmp_path: Path) -> None:
    lack = NotApplicable("STRATEGY", "has no lease to lose", "choose another")
    code, _ = ran(tmp_path, strikes=Strikes(lacking("kill-api", lack, "stream-locks")))
    document = found(tmp_path)
    (told,) = document["not_applicable"]
    assert (code, told["strategy"], told["why"]) == (0, "stream-locks", "STRATEGY has no lease to lose")
    assert {one["strategy"] for one in document["drills"] if one["name"] == "kill-api"} == ALL - {"stream-locks"}


def test_one_that_was_asked_for_by_name_and_does_not_apply_is_refused(tmp_path: Path) -> None:
    strikes = Strikes(lacking("kill-api", LacksPower("theirs", Kill, "api")))
    with pytest.raises(LacksPower):
        ran(tmp_path, "kill-projector", "kill-api", strikes=strikes)
    assert [one["name"] for one in found(tmp_path)["drills"]] == ["kill-projector"]


@pytest.mark.usefixtures("few")
def test_where_nothing_applies_the_command_is_refused_and_says_why_of_each(tmp_path: Path) -> None:
    def change(one: Drill, it: Repetition) -> Repetition:
        raise LacksPower("theirs", Kill, "api")

    with pytest.raises(SetupError, match="no fault applies"):
        ran(tmp_path, strikes=Strikes(change))
    document = found(tmp_path)
    assert document["drills"] == []
    assert len(document["not_applicable"]) == len(FEW) * len(ALL)


def test_what_was_done_is_kept_when_the_drills_are_broken_off(tmp_path: Path) -> None:
    def change(one: Drill, it: Repetition) -> Repetition:
        if it.run_id == "run-3":
            raise Interrupted(signal.SIGINT)
        return it

    with pytest.raises(Interrupted):
        ran(tmp_path, "kill-api", "kill-projector", "--repeat", "2", strikes=Strikes(change))
    first, whole = found(tmp_path)["drills"][0], found(tmp_path)
    assert (first["name"], first["hit"], first["verdict"]) == ("kill-api", 2, "passed")
    assert whole["why"] == "the drills were broken off"
    assert len(whole["drills"]) == 1
    with pytest.raises(Interrupted):
        ran(tmp_path / "half", "kill-api", "--repeat", "5", strikes=Strikes(change))
    (half,) = found(tmp_path / "half")["drills"]
    assert (half["hit"], half["wanted"], half["verdict"]) == (2, 5, "not hit")


def test_a_fault_that_does_not_hit_is_run_again_within_a_bound_and_proves_nothing(tmp_path: Path) -> None:
    code, said = ran(tmp_path, "kill-api", strikes=Strikes(lambda _, it: replace(it, hit=False)))
    (drill,) = found(tmp_path)["drills"]
    assert (code, drill["verdict"], drill["hit"], drill["wanted"]) == (1, "not hit", 0, 1)
    assert drill["repetitions"] == len(set(drill["seeds"])) == ATTEMPTS
    assert "0 of 3" in said


def test_a_repetition_that_failed_ends_the_command_with_1_and_tells_how_to_have_it_again(tmp_path: Path) -> None:
    def change(one: Drill, it: Repetition) -> Repetition:
        failed = one.settings.strategy == "stream-locks"
        return replace(it, why_failed="todo-7 is lost") if failed else it

    code, said = ran(tmp_path, "kill-api", "--strategy", "all", "--seed", "40", strikes=Strikes(change))
    (failed,) = [one for one in found(tmp_path)["drills"] if one["verdict"] == "failed"]
    again = ".tools/bin/uv run task drill -- kill-api --strategy stream-locks --repeat 1 --seed 40"
    assert (code, failed["runs"][0]["replay"]) == (1, again)
    assert f"again: {again}" in said


def test_the_seed_decides_the_load_the_moment_of_the_strike_and_what_a_fault_chooses() -> None:
    settings = Settings.from_env({"DURATION": "10s"})
    one = Drill("kill-api", settings, 5, 40)
    third, again = planned(one, 2), planned(replace(one, repeat=1, seed=42), 0)
    assert third == again
    assert third[0].seed == 42
    assert len({planned(one, number)[1].after_s for number in range(5)}) == 5
    drawn = []
    for told, _ in (third, again, planned(one, 3)):
        system: Any = SimpleNamespace(settings=told)
        drawn.append(chance(system, "kill-api").random())
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_target_is_chosen_by_an_option_as_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "drill", "--target", "nonsense", "--results", str(tmp_path)])
    assert main() == 2
    assert "TARGET='nonsense'" in capsys.readouterr().err
