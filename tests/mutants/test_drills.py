"""What counts as a mutant caught by its drill, and that there are the drills and mutants of each pair.

`task drill:mutants` plays them in real processes; each takes a whole run or more.
"""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.trial.fault import names
from settings.plugins import check, declared
from settings.strategies import is_serial
from settings.targets import reader
from tests.mutants.drills.__main__ import FILE, main
from tests.mutants.drills.judgement import Played, green, judge
from tests.mutants.drills.pairs import PAIRS, Pair
from tests.mutants.drills.play import ROOT

BY_KEY = {pair.key: pair for pair in PAIRS}
BUSY = (
    "1 blocked; first stream todo-1 at version 2: StoreBusy: Postgres is busy: canceling statement due to lock timeout"
)
PASSED = Played(0, "all was well", {"verdict": "passed", "hit": 1, "blocked": 0, "runs": [{"why": ""}]})


def red(why: str = "said", *, code: int = 1, blocked: int = 0, **counts: int) -> Played:
    """A drill that failed for this reason, with these counts of the oracle."""
    told = {"verdict": "failed", "hit": 1, "not_converged": 1, "blocked": blocked, "runs": [{"why": why}], **counts}
    return Played(code, "it failed", told)


def caught(key: str, played: Played) -> bool:
    return judge(BY_KEY[key], played).caught


def test_a_mutant_is_caught_by_what_names_its_defect() -> None:
    found = judge(BY_KEY["no-fence"], red(doubled=1_200, wrong_rows=1))
    assert (found.caught, found.by) == (True, "doubled 1,200, wrong rows 1")
    assert caught("checkpoint-first", red(lost=1))
    assert caught("acknowledged-before-commit", red(wrong_rows=3))


@pytest.mark.parametrize("key", BY_KEY)
def test_a_run_that_was_not_back_in_time_or_could_not_be_judged_has_caught_nothing(key: str) -> None:
    assert not caught(key, red("backlog still 4 after 20 s"))
    assert not caught(key, red("1 blocked; first stream todo-1 at version 2: TodoUpdated has no text", blocked=1))
    assert not caught(key, Played(2, "DATABASE_URL is wrong"))
    assert not caught(key, PASSED)


def test_another_count_than_that_of_the_defect_has_not_caught_it() -> None:
    found = judge(BY_KEY["no-fence"], red(lost=1))
    assert (found.caught, found.by) == (False, "lost 1")


def test_what_is_blocked_by_a_limit_of_the_servers_is_the_defect_by_name() -> None:
    found = judge(BY_KEY["time-limit-taken-for-poison"], red(BUSY, blocked=1))
    assert (found.caught, found.by) == (True, "1 run(s) blocked though nothing was poison")
    assert not caught("swallowed-error", red(BUSY, blocked=1))


def test_a_drill_that_is_not_red_by_its_exit_code_has_caught_nothing() -> None:
    assert not caught("no-fence", red(code=2, doubled=1))


def test_a_control_is_green_where_it_hit_and_nothing_is_wrong() -> None:
    assert green(PASSED)
    for change in ({"hit": 0}, {"verdict": "not hit"}, {"doubled": 1}):
        assert not green(Played(0, "", {**PASSED.drill, **change}))
    assert not green(Played(1, "", PASSED.drill))
    assert not green(Played(0, ""))


def plays(results: dict[bool, Played], done: list[tuple[str, bool]]) -> Any:
    """Stands for the drills: how one ends with a mutant in it, and without."""

    def stands_in(pair: Pair, _: Path, *, mutant: bool) -> Played:
        done.append((pair.key, mutant))
        return results[mutant]

    return stands_in


def test_each_is_played_with_its_mutant_and_without_and_told_in_a_table(tmp_path: Path) -> None:
    out, done = StringIO(), list[tuple[str, bool]]()
    results = {True: red(doubled=2), False: PASSED}
    words = ["no-fence", "no-guard", "--results", str(tmp_path)]
    assert main(words, Console(file=out, width=120), plays(results, done)) == 0
    assert done == [("no-fence", True), ("no-fence", False), ("no-guard", True), ("no-guard", False)]
    assert "doubled 2" in out.getvalue()
    first, second = json.loads((tmp_path / FILE).read_text())
    assert first == {
        "mutant": "no fence",
        "drill": "zombie-projector",
        "found": "doubled 2",
        "caught": True,
        "without": "passed",
    }
    assert second["drill"] == "change-mode"


@pytest.mark.parametrize("results", [{True: PASSED, False: PASSED}, {True: red(doubled=2), False: red(doubled=2)}])
def test_one_that_is_not_caught_or_a_drill_that_is_red_without_any_is_a_failure(results: dict[bool, Played]) -> None:
    out = StringIO()
    assert main(["no-fence"], Console(file=out, width=120), plays(results, [])) == 1
    assert results[False].said in out.getvalue() or results[True].said in out.getvalue()


def test_a_mutant_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-brakes"], Console(), plays({}, []))
    assert "there is no mutant no-brakes" in capsys.readouterr().err


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.key)
def test_each_pair_is_of_a_drill_and_of_mutants_that_there_are(pair: Pair) -> None:
    assert pair.drill in names()
    assert pair.finds or pair.named
    for told in (pair.planted, pair.control):
        (variable,) = told
        if variable == "STRATEGY":
            name = check("STRATEGY", "projection.ordering", told["STRATEGY"])
            assert {"SERIAL", "COSTLY_HANDLER", "LEASES"} <= declared("STRATEGY", "projection.ordering", name).keys()
        else:
            assert reader.load(f"{ROOT}/{told[variable]}").proof == "log"
    if "STRATEGY" in pair.planted:
        assert is_serial(pair.planted["STRATEGY"]) == is_serial(pair.control["STRATEGY"])
