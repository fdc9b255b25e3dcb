"""`bench capacity`, with trials of a made-up system: what is left in the folder, said, and given as an exit code."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.answers.budget import Budget
from bench.answers.capacity import command, words
from bench.answers.capacity.document import replicas_by_load
from bench.bundle.reading import Read
from bench.ends.errors import SetupError
from bench.ends.signals import Interrupted
from bench.preflight.settings import Settings
from bench.trial.result import void as void_result
from metrics.reading import Lines, read
from metrics.records.answers.capacity import FILE, SCHEMA, Capacity
from metrics.records.result import Generator, Result, Visibility
from metrics.records.verification import Verification
from settings import SettingError
from tests.unit.bench import bundles
from tests.unit.capacity.test_objective import STEADY

EDGES = {1: 300.0, 2: 520.0, 4: 610.0}
TRIAL_S = 20.0
BASE = bundles.result()
Trials = list[Settings]


class MadeUp:
    """A system that holds up to a rate by its number of projectors; a generator that ends at another rate."""

    def __init__(self, generator: float = 1e9, change: Callable[[int, Result], Result] = lambda _, it: it) -> None:
        self.trials: Trials = []
        self.seconds = 0.0
        self.generator = generator
        self.change = change

    def __call__(self, settings: Settings, title: str) -> Read:
        self.trials.append(settings)
        self.seconds += TRIAL_S
        rate = settings.rate
        assert rate is not None
        assert f"{rate:.3g}" in title.replace(",", "") or rate >= 1000
        visible = 20.0 if rate <= EDGES[settings.projectors] else 200.0
        run_id = f"run-{len(self.trials)}"
        result = replace(
            BASE,
            run_id=run_id,
            settings=settings.recorded(),
            strategy=settings.strategy,
            generator=Generator(40, rate, rate, saturated=rate > self.generator),
            visibility_ms=Visibility(2, 10, visible, visible, 200),
        )
        documents = {
            "machine": bundles.MACHINE,
            "postgres": {"version": "18.6", "source": "x", "settings": bundles.DURABLE},
            "versions": {"revision": None},
        }
        changed = self.change(len(self.trials), result)
        return Read(Path(run_id), changed, documents, Verification(), None, Lines(STEADY), Lines([]))


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "DATABASE_URL", "DURATION", "PROJECTORS", "SERIAL_PROJECTION", "STRATEGY", "SEED", "RATE"):
        monkeypatch.delenv(name, raising=False)


def arguments(results: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    parser.add_argument("--scenario", default="throughput")
    return argparse.Namespace(**vars(parser.parse_args(words)), results=results)


def found(results: Path) -> Capacity:
    (path,) = results.glob(f"*-throughput-capacity-*/{FILE}")
    return read(path, Capacity, schema=SCHEMA)


def sit(results: Path, system: MadeUp, *words: str) -> tuple[int, str]:
    said = StringIO()
    code = command.capacity(arguments(results, *words), Console(file=said, width=100), system, lambda: system.seconds)
    return code, said.getvalue()


def test_the_answer_is_an_interval_for_each_number_of_projectors(tmp_path: Path) -> None:
    system = MadeUp()
    code, said = sit(tmp_path, system, "--visible-p99", "50ms", "--budget", "1h")
    assert code == 0
    document = found(tmp_path)
    assert (document["unit"], document["visible_p99_ms"], document["sound"]) == ("requests/s", 50, True)
    assert [curve["projectors"] for curve in document["curves"]] == [1, 2, 4]
    for curve in document["curves"]:
        edge = EDGES[curve["projectors"]]
        assert curve["holds"] is not None
        assert curve["fails"] is not None
        assert curve["holds"] <= edge < curve["fails"] < curve["holds"] * 1.12
        assert (curve["confirmed"], curve["checked"], curve["end"]) == (3, 2, "found")
        assert all(rung["reasons"] for rung in curve["rungs"] if rung["outcome"] == "fails")
    holds = [curve["holds"] for curve in document["curves"]]
    assert document["replicas_by_load"] == [
        {"strategy": "stream-leases", "up_to": rate, "projectors": projectors}
        for rate, projectors in zip(holds, (1, 2, 4), strict=True)
    ]
    assert sum(len(curve["rungs"]) for curve in document["curves"]) == len(system.trials)
    assert "write to visible p99 200 ms" in said
    assert said.count("confirm ") == sum(
        rung["purpose"] == "confirm" for c in document["curves"] for rung in c["rungs"]
    )


def test_every_trial_has_a_seed_of_its_own_and_short_phases(tmp_path: Path) -> None:
    system = MadeUp()
    sit(tmp_path, system, "--projectors", "1")
    assert len({trial.seed for trial in system.trials}) == len(system.trials)
    assert {(trial.duration_s, trial.warmup_s) for trial in system.trials} == {(8.0, 2.0)}


def test_a_search_starts_where_the_one_before_has_ended(tmp_path: Path) -> None:
    system = MadeUp()
    sit(tmp_path, system, "--start", "100", "--budget", "1h")
    first = next(trial for trial in system.trials if trial.projectors == 2)
    assert (system.trials[0].rate, first.rate) == (100, found(tmp_path)["curves"][0]["holds"])


def test_more_projectors_that_hold_less_are_no_answer_for_a_load(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--projectors", "4,1", "--budget", "1h")
    document = found(tmp_path)
    assert [band["projectors"] for band in document["replicas_by_load"]] == [1, 4]


def test_where_the_generator_ends_first_the_answer_is_at_least(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(generator=250), "--projectors", "1", "--budget", "1h")
    (curve,) = found(tmp_path)["curves"]
    assert code == 0
    assert (curve["fails"], curve["end"]) == (None, "generator")
    assert curve["said"].startswith("at least ")
    assert "the load generator was at its end first" in said


def test_a_short_budget_is_told_and_kept(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(), "--projectors", "1,2", "--budget", "270s")
    document = found(tmp_path)
    assert re.search(r"budget 4 min, over at \d\d:\d\d: about 13 trials of 19 s", said)
    assert document["took_s"] <= 270
    assert sum(len(curve["rungs"]) for curve in document["curves"]) == 12
    assert [curve["end"] for curve in document["curves"]] == ["budget", "budget"]
    assert "the time was over after" in said
    assert code == 0


@pytest.mark.parametrize(("together", "slow_from"), [(1, 280), (2, 240)])
def test_the_last_trials_that_fit_may_all_time_out(together: int, slow_from: float) -> None:
    seconds = [0.0]
    budget = Budget(300.0, 12.0, 15.0, lambda: seconds[0])
    done = 0
    while budget.trials(300.0, together=together) >= together:
        done += 1
        for _ in range(together):
            with budget.trial():
                seconds[0] += 20.0 if seconds[0] < slow_from else 35.0
    assert done > 5 // together
    assert seconds[0] <= 300


def test_replicas_by_load_are_of_confirmed_rates_alone(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--projectors", "1,2", "--budget", "1h")
    curves: Any = found(tmp_path)["curves"]
    once = [{**curves[0], "confirmed": 2}, curves[1]]
    assert [band["projectors"] for band in replicas_by_load(once)] == [2]
    none: Any = {"replicas_by_load": []}
    assert words.loads(none, "stream-leases") == ["no rate was confirmed 3 times"]


def test_what_was_measured_before_a_signal_is_kept(tmp_path: Path) -> None:
    def end(number: int, result: Result) -> Result:
        if number == 5:
            raise Interrupted(2)
        return result

    with pytest.raises(Interrupted):
        sit(tmp_path, MadeUp(change=end))
    document = found(tmp_path)
    assert [len(curve["rungs"]) for curve in document["curves"]] == [4]
    assert (document["sound"], document["why"]) == (False, "the sitting was broken off")
    assert document["notes"] == ["not begun: 2 projectors, 4 projectors"]
    assert document["curves"][0]["end"] == "interrupted"


def test_without_any_trial_nothing_is_left(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(), "--budget", "5s")
    assert code == 1
    assert "no trial has a result: no time for one" in said
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_figures_ends_the_sitting(tmp_path: Path) -> None:
    def fall(number: int, result: Result) -> Result:
        void = void_result("run", Settings.from_env({}), "the API fell", trial=1)
        return void if number == 2 else result

    code, _ = sit(tmp_path, MadeUp(change=fall))
    assert code == 1
    assert found(tmp_path)["why"] == "the API fell"


def test_a_finding_of_an_oracle_fails_the_rung_and_the_command(tmp_path: Path) -> None:
    def lose(number: int, result: Result) -> Result:
        return replace(result, verdict="diverged", why="1 lost") if number == 1 else result

    code, _ = sit(tmp_path, MadeUp(change=lose), "--projectors", "1", "--budget", "1h")
    document = found(tmp_path)
    assert document["curves"][0]["rungs"][0]["reasons"] == ["diverged: 1 lost"]
    assert (code, document["sound"]) == (1, False)


def test_doubtful_trials_end_a_search_unless_they_are_taken_all_the_same(tmp_path: Path) -> None:
    def doubt(number: int, result: Result) -> Result:
        return replace(result, doubts=["other processes took 30 %"])

    code, said = sit(tmp_path / "a", MadeUp(change=doubt), "--projectors", "1")
    (curve,) = found(tmp_path / "a")["curves"]
    assert (code, curve["end"], len(curve["rungs"]), curve["holds"]) == (1, "doubts", 3, None)
    assert "doubtful: other processes took 30 %" in said
    code, _ = sit(tmp_path / "b", MadeUp(change=doubt), "--projectors", "1", "--anyway", "--budget", "1h")
    document = found(tmp_path / "b")
    assert (code, document["curves"][0]["end"]) == (0, "found")
    assert document["notes"] == [
        f"{len(document['curves'][0]['rungs'])} trials were doubtful, and taken all the same (--anyway)"
    ]


def test_the_strategies_are_searched_one_after_another(tmp_path: Path) -> None:
    system = MadeUp()
    sit(tmp_path, system, "--strategies", "global-order,stream-locks", "--projectors", "1", "--budget", "1h")
    assert [curve["strategy"] for curve in found(tmp_path)["curves"]] == ["global-order", "stream-locks"]
    assert {trial.mode for trial in system.trials} == {"serial", "parallel"}


def test_the_report_is_made_again_from_the_document(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--projectors", "1,2")
    (folder,) = tmp_path.glob("*-capacity-*")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert command.render(folder) == page
    assert "Capacity by replicas" in page
    for curve in found(tmp_path)["curves"]:
        assert curve["said"] in page
    assert (tmp_path / "latest").resolve() == folder


@pytest.mark.parametrize(
    ("words", "variables", "named"),
    [
        (("--projectors", "1,1"), {}, "--projectors: "),
        (("--projectors", "0"), {}, "--projectors='0'"),
        (("--visible-p99", "soon"), {}, "--visible-p99='soon'"),
        (("--budget", "-1"), {}, "--budget='-1'"),
        (("--start", "0"), {}, "--start='0'"),
        (("--strategies", "chaos"), {}, "STRATEGY='chaos'"),
        (("--scenario", "actions"), {}, "--scenario: "),
        (("--scenario", "reads"), {}, "--scenario: "),
        ((), {"RATE": "100"}, "RATE: the search sets it"),
        ((), {"DURATION": "3s"}, "DURATION: "),
        ((), {"WRITE_RATIO": "0"}, "--scenario: "),
        ((), {"BASE_URL": "http://127.0.0.1:1", "DATABASE_URL": "postgresql://a:b@127.0.0.1/c"}, "BASE_URL: "),
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
