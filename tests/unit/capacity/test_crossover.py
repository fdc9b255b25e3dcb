"""`bench crossover`, with trials of a made-up system: who is faster in which cell, and what an early end leaves."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.answers.crossover import command
from bench.answers.crossover.cell import rate_of, speed, times
from bench.bundle.reading import Read
from bench.compare.statistics.pairs import Value
from bench.ends.errors import SetupError
from bench.ends.signals import Interrupted
from bench.preflight.settings import Settings
from metrics.reading import Lines, read
from metrics.records.answers.crossover import FILE, SCHEMA, Crossover
from metrics.records.result import Distribution, Result
from metrics.records.sections.convergence import Convergence
from metrics.records.verification import Verification
from settings import SettingError
from tests.unit.bench import bundles

BASE = bundles.result()
TRIAL_S = 12.0


class MadeUp:
    """Parallel is three times as fast where an event costs something, serial twice where nothing and all is skewed."""

    def __init__(self, change: Callable[[int, Result], Result] = lambda _, it: it) -> None:
        self.trials: list[Settings] = []
        self.change = change

    def __call__(self, settings: Settings, title: str) -> Read:
        self.trials.append(settings)
        number = len(self.trials)
        # An even noise of some percent, so that trials of one side differ.
        speed = (1 + number % 3 / 50) * self.speed(settings)
        result = replace(
            BASE,
            run_id=f"run-{number}",
            settings=settings.recorded(),
            strategy=settings.strategy,
            convergence=Convergence(1000 / speed, speed, 1000, 3.0),
        )
        documents = {
            "machine": bundles.MACHINE,
            "postgres": {"version": "18.6", "source": "x", "settings": bundles.DURABLE},
            "versions": {"revision": None},
        }
        return Read(
            Path(f"run-{number}"), self.change(number, result), documents, Verification(), None, Lines([]), Lines([])
        )

    @staticmethod
    def speed(settings: Settings) -> float:
        if settings.mode == "serial":
            return 2000 if settings.handler_latency_ms == 0 and settings.skew else 1000
        return 3000 if settings.handler_latency_ms else 1000


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "DATABASE_URL", "DURATION", "STRATEGY", "SERIAL_PROJECTION", "SEED", "RATE", "SKEW"):
        monkeypatch.delenv(name, raising=False)


def sit(results: Path, system: MadeUp, *words: str) -> tuple[int, str]:
    parser, said = argparse.ArgumentParser(), StringIO()
    command.add_arguments(parser)
    parser.add_argument("--scenario", default="throughput")
    arguments = argparse.Namespace(**vars(parser.parse_args(words)), results=results)
    code = command.crossover(arguments, Console(file=said, width=120), system, lambda: TRIAL_S * len(system.trials))
    return code, said.getvalue()


def found(results: Path) -> Crossover:
    (path,) = results.glob(f"*-throughput-crossover-*/{FILE}")
    return read(path, Crossover, schema=SCHEMA)


def test_each_cell_says_who_is_faster_by_how_much_or_that_there_is_no_verdict(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(), "--costs", "0,5", "--skews", "0,0.9")
    document = found(tmp_path)
    assert (code, document["sound"], document["sides"]) == (0, True, ["serial", "parallel"])
    answers = {(cell["cost_ms"], cell["skew"]): cell["faster"] for cell in document["cells"]}
    assert answers == {(0, 0): None, (0, 0.9): "serial", (5, 0): "parallel", (5, 0.9): "parallel"}
    dear = next(cell for cell in document["cells"] if cell["cost_ms"] == 5)
    assert dear["ratio"] == pytest.approx(3, rel=0.05)
    assert dear["said"].startswith(f"parallel {times(dear['ratio'] or 0)} × ")
    assert f"({times(dear['low'] or 0)} to {times(dear['high'] or 0)})" in dear["said"]
    uneven = next(cell for cell in document["cells"] if cell["faster"] == "serial")
    assert uneven["said"].startswith("serial 2")
    for cell in document["cells"]:
        assert cell["said"] in said


def test_both_sides_of_a_pair_have_the_same_arrivals_and_take_turns_by_lot(tmp_path: Path) -> None:
    system = MadeUp()
    sit(tmp_path, system, "--costs", "5", "--skews", "0.9", "--pairs", "8")
    pairs = list(zip(system.trials[::2], system.trials[1::2], strict=True))
    assert {(one.seed, one.rate, one.skew) == (other.seed, other.rate, other.skew) for one, other in pairs} == {True}
    assert len({one.seed for one, _ in pairs}) == 8
    assert {one.mode for one, _ in pairs} == {"serial", "parallel"}
    assert all(one.mode != other.mode for one, other in pairs)


def test_the_order_of_the_pairs_is_drawn_anew_for_each_sitting(tmp_path: Path) -> None:
    orders = set()
    for number in range(3):
        system = MadeUp()
        sit(tmp_path / str(number), system, "--costs", "5", "--skews", "0,0.9", "--pairs", "16")
        orders.add(tuple(trial.mode for trial in system.trials))
    assert len(orders) == 3


def test_fewer_than_five_pairs_give_a_hint(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--costs", "5", "--skews", "0", "--pairs", "3")
    (cell,) = found(tmp_path)["cells"]
    assert (cell["faster"], cell["hint"]) == (None, "parallel")
    assert cell["said"].startswith(f"no verdict; a hint: parallel {times(cell['ratio'] or 0)} × ")


def test_a_doubtful_trial_forbids_the_verdict_of_its_cell_unless_it_is_taken_all_the_same(tmp_path: Path) -> None:
    def doubt(number: int, result: Result) -> Result:
        return replace(result, doubts=["other processes took 30 %"]) if number == 3 else result

    options = ("--costs", "5", "--skews", "0,0.9")
    sit(tmp_path / "a", MadeUp(doubt), *options)
    first, second = found(tmp_path / "a")["cells"]
    assert (first["faster"], first["because"], second["faster"]) == (None, "other processes took 30 %", "parallel")
    sit(tmp_path / "b", MadeUp(doubt), *options, "--anyway")
    assert [cell["faster"] for cell in found(tmp_path / "b")["cells"]] == ["parallel", "parallel"]
    assert "1 trials were doubtful" in found(tmp_path / "b")["notes"][0]


def test_a_side_that_timed_out_bounds_the_ratio(tmp_path: Path) -> None:
    def late(_: int, result: Result) -> Result:
        if result.strategy == "stream-leases":
            return result
        slow = Convergence(20.0, None, 500, 3.0, "timed out")
        return replace(result, verdict="timed_out", convergence=slow, backlog=Distribution(final=300.0))

    code, _ = sit(tmp_path, MadeUp(late), "--costs", "5", "--skews", "0")
    document = found(tmp_path)
    (cell,) = document["cells"]
    assert (code, document["sound"]) == (1, False)
    assert (cell["faster"], cell["bound"], cell["high"]) == ("parallel", "at_least", None)
    assert cell["said"].startswith("parallel ≥ 7")
    (note,) = document["notes"]
    assert note == "5 trials timed out: their speed is at most all that was left, by the time until then"


def test_a_speed_is_not_told_where_no_hold_came_before_or_nothing_bounds_it() -> None:
    timed_out = replace(BASE, verdict="timed_out", convergence=Convergence(20.0, None, 500, 3.0))
    assert speed(replace(timed_out, backlog=Distribution(final=300.0))) == Value(40.0, "at_most")
    assert speed(timed_out) is None, "its backlog at the end is not told, so it may have been faster"
    held = Convergence(2.0, 500.0, 1000, 3.0)
    assert speed(replace(BASE, convergence=held)) == Value(500.0)
    assert speed(replace(BASE, convergence=replace(held, held_s=0.0, why="missed"))) is None
    known = replace(held, resolution_s=held.time_s / 10)
    told = speed(replace(BASE, convergence=known))
    assert told is not None
    assert (told.value, told.resolution) == pytest.approx((500.0, 50.0))


def test_where_nothing_was_left_there_is_no_verdict(tmp_path: Path) -> None:
    def even(_: int, result: Result) -> Result:
        return replace(result, convergence=Convergence(0.0, None, 0, 3.0, "nothing was left"))

    sit(tmp_path, MadeUp(even), "--costs", "0", "--skews", "0")
    (cell,) = found(tmp_path)["cells"]
    assert (cell["faster"], cell["ratio"], cell["said"]) == (None, None, "no verdict")


def test_a_signal_keeps_the_cells_that_were_measured(tmp_path: Path) -> None:
    def end(number: int, result: Result) -> Result:
        if number == 14:
            raise Interrupted(2)
        return result

    with pytest.raises(Interrupted):
        sit(tmp_path, MadeUp(end))
    document = found(tmp_path)
    assert (document["sound"], document["why"]) == (False, "the sitting was broken off")
    assert [len(cell["pairs"]) for cell in document["cells"]] == [5, 1]


def test_the_budget_is_told_and_kept(tmp_path: Path) -> None:
    system = MadeUp()
    code, said = sit(tmp_path, system, "--budget", "4m")
    document = found(tmp_path)
    assert "the last cells may be left out" in said
    assert document["took_s"] <= 240
    assert code == 1
    assert [len(cell["pairs"]) for cell in document["cells"]] == [5, 2]
    assert document["notes"][0] == "2 of 4 cells were not measured: the time was over"
    assert "not measured" in said


def test_a_trial_without_a_result_ends_its_cell_and_not_the_map(tmp_path: Path) -> None:
    def fall(number: int, result: Result) -> Result:
        return replace(result, verdict="invalid", why="the API fell") if number == 13 else result

    code, said = sit(tmp_path, MadeUp(fall))
    document = found(tmp_path)
    assert (code, document["sound"]) == (1, False)
    assert [len(cell["pairs"]) for cell in document["cells"]] == [5, 1, 5, 5]
    assert document["cells"][1]["because"].endswith("run-13 is invalid: the API fell")
    assert "0 ms, SKEW=0.9: run-13 is invalid: the API fell" in document["notes"]
    assert "the API fell" in said


def test_the_report_is_made_again_from_the_document(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp())
    (folder,) = tmp_path.glob("*-crossover-*")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert command.render(folder) == page
    for cell in found(tmp_path)["cells"]:
        assert cell["said"] in page


def test_a_dear_event_gets_a_rate_that_serial_catches_up_with() -> None:
    assert rate_of(0, 600, write_ratio=0.9, before_s=3, held_s=3) == 600
    for cost in (1.0, 5.0, 20.0, 500.0):
        rate = rate_of(cost, 1e6, write_ratio=0.5, before_s=3, held_s=3)
        left = 0.5 * rate * 6 - 3 * 1000 / cost
        assert 0 < left * cost / 1000 <= 6.1


@pytest.mark.parametrize(
    ("words", "variables", "named"),
    [
        (("--costs", "0,0"), {}, "--costs: "),
        (("--costs", "-1"), {}, "--costs='-1'"),
        (("--skews", "1.5"), {}, "--skews='1.5'"),
        (("--pairs", "0"), {}, "--pairs='0'"),
        (("--strategies", "global-order"), {}, "--strategies: "),
        (("--strategies", "global-order,stream-locks"), {}, "STRATEGY='stream-locks'"),
        (("--scenario", "actions"), {}, "--scenario: "),
        ((), {"SKEW": "0.5"}, "SKEW: the map sets it"),
        ((), {"HANDLER_LATENCY_MS": "5"}, "HANDLER_LATENCY_MS: the map sets it"),
        ((), {"RATE": "5"}, "RATE: the map sets it"),
        ((), {"HOLD": "0"}, "HOLD: without a hold"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_its_name(
    words: tuple[str, ...], variables: dict[str, str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises((SetupError, SettingError)) as refusal:
        sit(tmp_path, MadeUp(), *words)
    assert str(refusal.value).startswith(named)
    assert list(tmp_path.iterdir()) == []
