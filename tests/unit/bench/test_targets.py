"""`bench targets`, with trials of made-up stacks: who is told, who is left out, and what an early end leaves."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bench.answers.targets import command
from bench.answers.targets.document import APART
from bench.answers.targets.page import shown
from bench.answers.targets.table import cell
from bench.bundle.reading import Read
from bench.compare import words
from bench.compare.metrics import BOUND
from bench.ends.errors import SetupError
from bench.ends.signals import Interrupted
from bench.platforms.targets import here
from bench.platforms.targets.here import Here
from bench.preflight.settings import Settings
from metrics.reading import Lines, read
from metrics.records.answers.targets import FILE, SCHEMA, Row, Targets
from metrics.records.result import Correctness, Result
from metrics.records.sections.resources import Resources
from metrics.records.verification import Verification
from settings.targets import reader
from tests.unit.bench import bundles

BASE = bundles.result()
TRIAL_S = 30.0
SPEED = {"tidemark": 1000.0, "crud": 500.0, "crud:grouped": 1000.0, "empty": 3000.0}
Change = Callable[[int, Result], Result]


class MadeUp:
    """`crud` is half as fast as ours, `crud:grouped` as fast, `empty` three times as fast, with some noise."""

    def __init__(self, change: Change = lambda _, it: it) -> None:
        self.trials: list[Settings] = []
        self.change = change

    def __call__(self, settings: Settings, title: str) -> Read:
        self.trials.append(settings)
        number, name = len(self.trials), settings.target.name
        # By the target's own trials, so that the order which is drawn changes nothing.
        turn = sum(trial.target.name == name for trial in self.trials) + len(name)
        rate = SPEED[name] * (1 + turn % 3 / 50)
        wal = None if name == "empty" else 300.0
        result = replace(
            BASE,
            run_id=f"run-{number}",
            target={**BASE.target, "name": name},
            settings=settings.recorded(),
            throughput=replace(BASE.throughput, actions_per_s=rate),
            resources=Resources(
                system_cpu_us_per_action=1e6 / rate,
                wal_bytes_per_action=wal,
                reason="" if wal else "no Postgres",
            ),
        )
        documents = {
            "machine": bundles.MACHINE,
            "postgres": {} if wal is None else {"version": "18.6", "source": "x", "settings": bundles.DURABLE},
            "versions": {"revision": None},
        }
        return Read(
            Path(f"run-{number}"), self.change(number, result), documents, Verification(), None, Lines([]), Lines([])
        )


@pytest.fixture(autouse=True)
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four targets that run here, and one that is not installed."""
    for name in ("BASE_URL", "DATABASE_URL", "TARGET", "DURATION", "STRATEGY", "SERIAL_PROJECTION", "SEED", "RATE"):
        monkeypatch.delenv(name, raising=False)
    found = [Here(reader.load(name)) for name in ("empty", "crud:grouped", "crud", "tidemark")]
    missing = replace(found[0], target=reader.load("empty"), problem="is not installed", remedy="run `task x`")
    monkeypatch.setattr(here, "every", lambda: iter([*found, _named(missing, "absent")]))


def _named(one: Here, name: str) -> Here:
    told = {field: getattr(one.target, field) for field in one.target.__struct_fields__}
    return replace(one, target=type(one.target)(**{**told, "name": name}))


def sit(results: Path, system: MadeUp, *options: str) -> tuple[int, str]:
    parser, said = argparse.ArgumentParser(), StringIO()
    command.add_arguments(parser)
    parser.add_argument("--scenario", default="throughput")
    arguments = argparse.Namespace(**vars(parser.parse_args(options)), results=results)
    code = command.targets(arguments, Console(file=said, width=160), system, lambda: TRIAL_S * len(system.trials))
    return code, said.getvalue()


def found(results: Path) -> Targets:
    (path,) = results.glob(f"*-throughput-targets-*/{FILE}")
    return read(path, Targets, schema=SCHEMA)


def row(document: Targets, name: str) -> Row:
    return next(each for each in document["rows"] if each["name"] == name)


def test_each_target_has_a_row_with_its_figures_and_its_ratio_to_ours(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(), "--rounds", "7")
    document = found(tmp_path)
    assert (code, document["sound"], document["base"]) == (0, True, "tidemark")
    assert [each["name"] for each in document["rows"]] == ["tidemark", "crud", "crud:grouped", "empty"]
    told = row(document, "crud")["figures"]["actions_per_s"]
    assert told["spread"]["trials"] == 7
    assert told["spread"]["min"] is not None
    assert told["contrast"] is not None
    assert told["contrast"]["ratio"] == pytest.approx(0.5, rel=0.05)
    assert told["contrast"]["answer"] == "lower"
    assert row(document, "crud:grouped")["figures"]["actions_per_s"]["contrast"]["answer"] == "no verdict"  # type: ignore[index]
    assert row(document, "empty")["figures"]["actions_per_s"]["contrast"]["ratio"] == pytest.approx(3, rel=0.05)  # type: ignore[index]
    assert row(document, "tidemark")["figures"]["actions_per_s"]["contrast"] is None
    for each in document["rows"]:
        assert each["name"] in said
    assert f"× {words.factor(told['contrast'])}" in said


def test_no_verdict_and_no_colour_across_classes_nor_for_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times as fast or a tenth: the ratio stands, and says nothing of better or worse."""
    for name, rate in (("crud", 3000.0), ("crud:grouped", 100.0)):
        monkeypatch.setitem(SPEED, name, rate)
    sit(tmp_path, MadeUp(), "--rounds", "7")
    document = found(tmp_path)
    answers = {each["name"]: each["figures"]["actions_per_s"]["contrast"] for each in document["rows"]}
    assert {name: told and told["answer"] for name, told in answers.items()} == {
        **{"tidemark": None, "crud": "higher"},
        **{"crud:grouped": "no verdict", "empty": "no verdict"},
    }
    # A document of before has verdicts across classes: they are not shown either.
    for name in ("crud:grouped", "empty"):
        told = answers[name]
        assert told is not None
        assert (told["ratio"] is not None, told["hint"], told["because"]) == (True, "", APART)
        told["answer"] = "lower"
    cells = {each["name"]: shown(document, each)["cells"][0] for each in document["rows"]}
    assert {name: cell["verdict"] for name, cell in cells.items()} == {
        **{"tidemark": "", "crud": "better", "crud:grouped": "", "empty": ""}
    }
    assert cells["crud:grouped"]["ratio"]
    assert {cells[name]["tone"] for name in ("crud:grouped", "empty")} == {"open"}
    styles = {each["name"]: cell(document, document["figures"][0], each).spans for each in document["rows"]}
    assert ["bold" in str(span.style) for span in styles["crud"]] == [False, True]
    assert [str(span.style) for name in ("crud:grouped", "empty") for span in styles[name]] == ["dim"] * 4


def test_a_reference_stands_apart(tmp_path: Path) -> None:
    _, said = sit(tmp_path, MadeUp(), "--rounds", "1")
    assert said.index("crud:grouped\n" if "crud:grouped\n" in said else "crud:grouped") < said.index(
        "reference, nothing is kept, not ranked"
    )
    assert "note: empty: reference, nothing is kept; not ranked" in said
    assert [each.get("reference") for each in found(tmp_path)["rows"]] == [False, False, False, True]
    (folder,) = tmp_path.glob("*-throughput-targets-*")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index(">crud:grouped<small>") < page.index("Reference, nothing is kept") < page.index(">empty<small>")


def test_a_catch_up_that_was_only_seen_is_a_lower_bound(tmp_path: Path) -> None:
    def change(_: int, result: Result) -> Result:
        seen = result.target["name"] == "crud"
        return replace(result, convergence=replace(result.convergence, until="seen")) if seen else result

    _, said = sit(tmp_path, MadeUp(change), "--rounds", "2")
    told = {each["name"]: each["figures"]["convergence_speed"] for each in found(tmp_path)["rows"]}
    assert told["tidemark"]["spread"]["bound"] == "exact"
    assert told["crud"]["spread"]["bound"] == "at_least"
    assert told["crud"]["contrast"] is not None
    assert told["crud"]["contrast"]["bound"] == "at_least"
    assert "≥ " in said
    assert f"note: {BOUND}" in said
    (folder,) = tmp_path.glob("*-throughput-targets-*")
    assert "at least " in (folder / "report.html").read_text(encoding="utf-8")


def test_what_is_not_told_is_a_dash_with_its_reason(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--rounds", "1")
    told = row(found(tmp_path), "empty")["figures"]["wal_bytes_per_action"]
    assert (told["spread"]["median"], told["why"]) == (None, "no Postgres")


def test_every_target_has_one_turn_a_round_in_an_order_that_is_drawn_anew(tmp_path: Path) -> None:
    orders = set()
    for number in range(3):
        system = MadeUp()
        sit(tmp_path / str(number), system, "--rounds", "5")
        names = [trial.target.name for trial in system.trials]
        rounds = [tuple(names[at : at + 4]) for at in range(0, len(names), 4)]
        assert {frozenset(each) for each in rounds} == {frozenset(SPEED)}
        orders.add(tuple(rounds))
    assert len(orders) == 3


def test_few_rounds_are_a_hint(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--rounds", "3")
    contrast = row(found(tmp_path), "crud")["figures"]["actions_per_s"]["contrast"]
    assert contrast is not None
    assert (contrast["answer"], contrast["hint"]) == ("no verdict", "lower")


def test_a_target_that_is_wrong_says_what_is_wrong_has_no_figures_and_is_not_run_again(tmp_path: Path) -> None:
    def change(_: int, result: Result) -> Result:
        if result.target["name"] != "crud":
            return result
        return replace(result, verdict="diverged", why="two rows are wrong", correctness=Correctness(mismatched_rows=2))

    system = MadeUp(change)
    code, said = sit(tmp_path, system, "--rounds", "3")
    document = found(tmp_path)
    assert (code, document["sound"], document["why"]) == (1, False, "")
    wrong = row(document, "crud")
    assert (wrong["verdict"], wrong["figures"], len(wrong["trials"])) == ("diverged", {}, 1)
    assert "two rows are wrong" in wrong["why"]
    assert "two rows are wrong" in said
    assert [trial.target.name for trial in system.trials].count("crud") == 1
    assert row(document, "empty")["figures"]["actions_per_s"]["spread"]["trials"] == 3


def test_a_fault_that_was_found_beside_a_verdict_that_says_nothing_is_no_figure(tmp_path: Path) -> None:
    def change(_: int, result: Result) -> Result:
        return replace(result, correctness=Correctness(lost=1)) if result.target["name"] == "crud" else result

    code, _ = sit(tmp_path, MadeUp(change), "--rounds", "1")
    assert code == 1
    assert (row(found(tmp_path), "crud")["verdict"], row(found(tmp_path), "crud")["figures"]) == ("diverged", {})


def test_a_target_that_can_not_be_started_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    class Refusing(MadeUp):
        def __call__(self, settings: Settings, title: str) -> Read:
            if settings.target.name == "empty":
                raise SetupError("empty", "its lock is gone", "put it back")
            return super().__call__(settings, title)

    code, said = sit(tmp_path, Refusing(), "--rounds", "2")
    document = found(tmp_path)
    refused = row(document, "empty")
    assert (code, refused["verdict"], refused["trials"]) == (1, "not started", [])
    assert "its lock is gone" in refused["why"]
    assert "its lock is gone" in said
    assert len(row(document, "crud")["trials"]) == 2


def test_what_is_not_installed_is_left_out_with_what_to_do(tmp_path: Path) -> None:
    code, said = sit(tmp_path, MadeUp(), "--rounds", "1")
    assert code == 0
    assert found(tmp_path)["left_out"] == [{"name": "absent", "why": "is not installed: run `task x`"}]
    assert "left out: absent: is not installed: run `task x`" in said


def test_a_signal_keeps_what_was_measured_and_gives_hints_alone(tmp_path: Path) -> None:
    class Ending(MadeUp):
        def __call__(self, settings: Settings, title: str) -> Read:
            if len(self.trials) == 30:
                raise Interrupted(signal.SIGINT)
            return super().__call__(settings, title)

    with pytest.raises(Interrupted):
        sit(tmp_path, Ending(), "--rounds", "9")
    document = found(tmp_path)
    assert (document["sound"], document["complete"]) == (False, 7)
    contrast = row(document, "crud")["figures"]["actions_per_s"]["contrast"]
    assert contrast is not None
    assert (contrast["answer"], contrast["hint"]) == ("no verdict", "lower")


def test_a_doubt_of_one_trial_forbids_every_verdict(tmp_path: Path) -> None:
    def change(number: int, result: Result) -> Result:
        return replace(result, doubts=["others took 30 %"]) if number == 3 else result

    code, said = sit(tmp_path, MadeUp(change), "--rounds", "7")
    contrast = row(found(tmp_path), "crud")["figures"]["actions_per_s"]["contrast"]
    assert code == 0
    assert contrast is not None
    assert (contrast["answer"], contrast["hint"]) == ("no verdict", "")
    assert "others took 30 %" in said


def test_some_alone_and_the_first_of_the_table_is_the_base(tmp_path: Path) -> None:
    sit(tmp_path, MadeUp(), "--rounds", "1", "--only", "crud:grouped,crud")
    document = found(tmp_path)
    assert ([each["name"] for each in document["rows"]], document["base"]) == (["crud", "crud:grouped"], "crud")


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        (("--only", "crudd"), {}, "say crud"),
        (("--only", "crud,crud"), {}, "twice"),
        (("--only", "absent"), {}, "none can be measured"),
        (("--rounds", "0"), {}, "--rounds"),
        ((), {"BASE_URL": "http://127.0.0.1:1"}, "BASE_URL"),
        ((), {"DATABASE_URL": "postgresql://a@127.0.0.1/b"}, "DATABASE_URL"),
        ((), {"TARGET": "crud"}, "say --only"),
        ((), {"DURATION": "soon"}, "DURATION"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_its_name_before_any_work(
    options: tuple[str, ...], variables: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    system = MadeUp()
    with pytest.raises((SetupError, ValueError), match=said):
        sit(tmp_path, system, *options)
    assert not system.trials


def test_the_page_is_made_again_from_the_document_and_nothing_in_it_becomes_markup(tmp_path: Path) -> None:
    def change(_: int, result: Result) -> Result:
        bad = result.target["name"] == "crud"
        return replace(result, verdict="invalid", why="<script>alert(1)</script>") if bad else result

    sit(tmp_path, MadeUp(change), "--rounds", "2")
    (folder,) = tmp_path.glob("*-throughput-targets-*")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert command.render(folder) == page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert (tmp_path / "latest").resolve() == folder.resolve()
