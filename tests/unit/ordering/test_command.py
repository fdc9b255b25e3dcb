"""`bench ordering`, with made-up trials: turns in drawn order, what an early end leaves, exit codes, refusals."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.answers.ordering import command, markdown, strategies
from bench.answers.ordering.sitting import Measure, Sitting
from bench.answers.ordering.strategy import Strategy
from bench.ends.errors import RunFailed, SetupError
from bench.ends.signals import Interrupted
from bench.trial.resources.processes import Snapshot, Times
from metrics.reading import read
from metrics.records.answers.ordering import FILE, SCHEMA, Ordering, Trial
from settings import SettingError
from settings.catalogue.projection import VISIBILITY
from tests.unit.ordering.trials import load, stall, trial

EIGHT = {
    *("advisory-lock", "counter-row", "gap-detector", "lock-barrier", "naive", "table-lock", "watermark"),
    "xid-below-xmin",
}


class MadeUp:
    """Sound strategies lose nothing; the control loses under load and at the stalled writer, as often as it is told."""

    def __init__(self, *, loses: int = 1, fails: str = "", ends_after: int = 1000) -> None:
        self.turns: list[str] = []
        self.loses, self.fails, self.ends_after = loses, fails, ends_after

    @contextmanager
    def at(self, log: Path, sitting: Sitting) -> Iterator[Measure]:
        names = {id(strategy): name for name, strategy in sitting.strategies.items()}
        sitting.look = lambda: Snapshot(0.0, 2, Times(), {})
        sitting.postgres = {"version": "18.6", "source": "made up"}

        def measure(strategy: Strategy, number: int) -> Trial:
            if len(self.turns) == self.ends_after:
                raise Interrupted(2)
            name = names[id(strategy)]
            self.turns.append(name)
            if name == self.fails:
                raise RunFailed("UndefinedTableError: no such table")
            lost = self.loses if strategy.control else 0
            return trial(number, load=load(lost=7 * lost), stalled_writer=stall(lost=lost))

        yield measure


def sit(results: Path, system: MadeUp, *words: str) -> tuple[int, str]:
    parser, said = argparse.ArgumentParser(), StringIO()
    command.add_arguments(parser)
    arguments = argparse.Namespace(**vars(parser.parse_args(words)), results=results)
    try:
        code = command.ordering(arguments, Console(file=said, width=240), system.at)
    except Interrupted as end:
        code = end.code
    return code, said.getvalue()


def left(results: Path) -> tuple[Path, Ordering]:
    (path,) = results.glob(f"*-ordering-*/{FILE}")
    return path.parent, read(path, Ordering, schema=SCHEMA)


def test_each_strategy_has_a_turn_in_each_round_in_an_order_that_the_seed_draws(tmp_path: Path) -> None:
    first, again, other = MadeUp(), MadeUp(), MadeUp()
    code, said = sit(tmp_path, first, "--rounds", "3", "--seed", "5")
    sit(tmp_path / "again", again, "--rounds", "3", "--seed", "5")
    sit(tmp_path / "other", other, "--rounds", "3", "--seed", "6")
    assert code == 0, said
    rounds = [first.turns[start : start + 8] for start in (0, 8, 16)]
    assert all(set(turns) == EIGHT for turns in rounds)
    assert len({tuple(turns) for turns in rounds}) > 1
    assert first.turns == again.turns != other.turns
    assert "3 rounds in drawn order of " in said
    assert "some 5 min, over at about " in said.partition("round 1 of 3")[0]


def test_what_was_measured_is_in_a_table_a_document_and_a_page(tmp_path: Path) -> None:
    _, said = sit(tmp_path, MadeUp(), "--rounds", "2")
    folder, found = left(tmp_path)
    rows = {row["strategy"]: row for row in found["rows"]}
    assert set(rows) == EIGHT
    assert (found["sound"], found["complete"], found["why"]) == (True, 2, "")
    assert rows["naive"]["verdict"] == "caught"
    assert rows["naive"]["why"] == "14 lost under load; 2 lost at a stalled writer"
    assert [row["strategy"] for row in found["rows"]][-1] == "naive"
    assert {row["verdict"] for name, row in rows.items() if name != "naive"} == {"sound"}
    page = (folder / "report.html").read_text()
    assert page == command.render(folder)
    for name in EIGHT:
        assert name in said
        assert name in page
    # Eight names side by side have room only if they stand slanted, and none is left out on a narrow screen.
    assert page.count('class="frame names"') == page.count('class="frame') == 2
    assert "loses events" in said
    assert "14 of 2,000" in said


def test_a_control_that_was_not_caught_is_no_success(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(loses=0), "--rounds", "1")
    assert (code, left(tmp_path)[1]["sound"]) == (1, False)
    assert "naive: it lost nothing" in said


def test_without_a_control_it_is_said_that_none_was_there(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(), "--only", "watermark, counter-row", "--rounds", "1")
    assert code == 0
    assert "no control was measured" in said


def test_a_strategy_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    system = MadeUp(fails="table-lock")
    code, said = sit(tmp_path, system, "--rounds", "2")
    rows = {row["strategy"]: row for row in left(tmp_path)[1]["rows"]}
    assert code == 1
    assert (system.turns.count("table-lock"), system.turns.count("watermark")) == (1, 2)
    assert rows["table-lock"]["verdict"] == "failed"
    assert "table-lock: UndefinedTableError: no such table" in said


def test_a_sitting_that_is_broken_off_keeps_its_turns(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(ends_after=9), "--rounds", "3")
    found = left(tmp_path)[1]
    assert code == 130
    assert (found["sound"], found["complete"], found["why"]) == (False, 1, "the sitting was broken off")
    assert sum(len(row["trials"]) for row in found["rows"]) == 9
    assert "9 trials in " in said


def test_a_sitting_that_is_broken_off_before_its_first_end_leaves_no_document(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(ends_after=0))
    assert code == 130
    assert "no trial has a result: the sitting was broken off" in said
    assert not list(tmp_path.glob("*"))


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--seconds", "0"], "--seconds="),
        (["--seconds", "1h"], "--seconds="),
        (["--writers", "1"], "--writers="),
        (["--writers", "65"], "--writers="),
        (["--rounds", "0"], "--rounds="),
        (["--rounds", "101"], "--rounds="),
        (["--stall", "31s"], "--stall="),
        (["--stall", "soon"], "--stall="),
        (["--seed", "-1"], "--seed="),
        (["--only", "optimism"], "--only="),
        (["--only", ""], "--only="),
        (["--only", "naive,naive"], "--only: "),
        (["--only", "json.decoder"], "--only: json.decoder has no STRATEGY"),
        (["--only", "naive", "--publish"], "--publish: "),
    ],
)
def test_what_can_not_be_used_is_refused_by_its_name_before_any_turn(
    words: list[str], named: str, tmp_path: Path
) -> None:
    system = MadeUp()
    with pytest.raises((SettingError, SetupError)) as refused:
        sit(tmp_path, system, *words)
    assert str(refused.value).startswith(named)
    assert system.turns == []


def test_a_strategy_of_somebody_else_is_a_module_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ordering_of_mine.py").write_text("STRATEGY = 'none'")
    folder = tmp_path / "mine_all_mine"
    folder.mkdir()
    source = "from bench.answers.ordering.strategies.naive import STRATEGY as S\nSTRATEGY = S"
    (folder / "hopeful.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    assert list(strategies.load("mine_all_mine.hopeful, watermark")) == ["watermark", "mine_all_mine.hopeful"]


def test_the_table_of_the_docs_is_put_between_its_marks(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--rounds", "1", "--seed", "12", "--seconds", "2s")
    page = tmp_path / "page.md"
    page.write_text(f"before\n{markdown.BEGIN}\nold | `old` |\n{markdown.END}\nafter\n")
    markdown.publish(page, left(tmp_path)[1])
    written = page.read_text()
    assert written.startswith(f"before\n{markdown.BEGIN}\n| strategy |")
    assert written.endswith(f"{markdown.END}\nafter\n")
    assert "old" not in written
    assert set(markdown.published(written)) == EIGHT
    assert "--seconds 2 --stall 1 --writers 16 --rounds 1 --seed 12 --publish`" in written
    page.write_text("no marks")
    with pytest.raises(SetupError, match="--publish"):
        markdown.publish(page, left(tmp_path)[1])


def test_the_page_of_the_docs_has_every_strategy_measured_and_explained() -> None:
    page = markdown.PAGE.read_text(encoding="utf-8")
    offered = set(strategies.load())
    assert offered == EIGHT
    assert set(markdown.published(page)) == offered
    before = page.partition(markdown.BEGIN)[0]
    assert {name for name in offered if f"`{name}`" not in before} == set()


def test_the_product_offers_the_watermark_and_the_control_alone() -> None:
    assert set(VISIBILITY.choices) == {"watermark", "naive"}
