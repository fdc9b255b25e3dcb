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

from bench.answers.board import comparison
from bench.answers.targets import command
from bench.answers.targets.document import APART
from bench.answers.targets.page import shown
from bench.answers.targets.table import cell
from bench.bundle.reading import Read
from bench.compare import words
from bench.compare.metrics import BOUND
from bench.drill.repeated import ATTEMPTS, Drill
from bench.drill.repetition import Repetition
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


class Kills:
    """Of projectors; each hits, a second one took over, and nothing is wrong, unless it is changed."""

    def __init__(self, change: Callable[[int, Repetition], Repetition] = lambda _, it: it) -> None:
        self.struck: list[Drill] = []
        self.change = change

    def __call__(self, one: Drill, number: int) -> Repetition:
        self.struck.append(one)
        found = Repetition(
            run_id=f"kill-{one.settings.target.name}-{number}",
            platform="local",
            seed=one.seed + number,
            hit=True,
            verdict="converged",
            correctness=Correctness(events_checked=9),
            takeover_s=1.25,
            visible_p99_ms={"before": 9.0, "during": 99.0, "after": 9.0},
            errors={"refused": 3},
            what="projector-1 was killed (SIGKILL)",
            why_failed="",
            right_again_s=4.5,
        )
        return self.change(len(self.struck), found)


def sit(results: Path, system: MadeUp, *options: str, kills: Kills | None = None) -> tuple[int, str]:
    parser, said = argparse.ArgumentParser(), StringIO()
    command.add_arguments(parser)
    parser.add_argument("--scenario", default="throughput")
    arguments = argparse.Namespace(**vars(parser.parse_args(options)), results=results)
    console = Console(file=said, width=160)
    code = command.targets(arguments, console, system, lambda: TRIAL_S * len(system.trials), kills or Kills())
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


def test_durability_that_nobody_looked_at_is_told_and_not_called_checked(tmp_path: Path) -> None:
    _, said = sit(tmp_path, MadeUp(), "--rounds", "1")
    rows = found(tmp_path)["rows"]
    assert {each["name"]: each["durable_checked"] for each in rows} == {
        "tidemark": True,
        "crud": True,
        "crud:grouped": True,
        "empty": False,
    }
    assert "durability told, not checked: empty\n" in said
    (report,) = tmp_path.glob("*-throughput-targets-*/report.html")
    assert report.read_text(encoding="utf-8").count("Durable (told, not checked)") == 1


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
        (("--faults", "-1"), {}, "--faults"),
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


def test_after_the_rounds_a_projector_is_killed_of_each_target_that_has_one(tmp_path: Path) -> None:
    kills, system = Kills(), MadeUp()
    code, said = sit(tmp_path, system, "--rounds", "2", kills=kills)
    document = found(tmp_path)
    assert (code, document["sound"], document["faults"]) == (0, True, 1)
    (one,) = kills.struck
    assert (one.name, one.settings.target.name, one.settings.projectors) == ("kill-projector", "tidemark", 2)
    struck = row(document, "tidemark")["kill"]
    assert (struck["hit"], struck["takeover_s"]["p50"], struck["verdict"]) == (1, 1.25, "passed")
    assert row(document, "crud")["not_killed"] == "it has no projector process of its own"
    told = "taken over after 1.2 s; right again 4.5 s after the restart; nothing lost or doubled (store)"
    assert f"tidemark: kill -9 of a projector: {told}" in said
    assert "8 trials, 2 of each of tidemark, crud, crud:grouped, empty, then 1 kill of a projector, in about" in said
    (page,) = tmp_path.glob("*-targets-*/report.html")
    assert "right again 4.5 s after the restart" in page.read_text(encoding="utf-8")


def test_the_time_of_the_kills_is_in_the_time_that_is_told_before_the_start(tmp_path: Path) -> None:
    def planned(*options: str) -> str:
        said = sit(tmp_path / options[0], MadeUp(), "--rounds", "1", "--only", "tidemark", *options)[1]
        return next(line for line in said.splitlines() if "in about" in line)

    assert planned("--no-faults").partition("in about")[2] != planned("--faults=9").partition("in about")[2]
    assert "kill" not in planned("--faults=0")


def test_a_target_that_is_wrong_after_the_kill_says_so_and_keeps_the_figures_of_its_sound_runs(tmp_path: Path) -> None:
    def lossy(_: int, it: Repetition) -> Repetition:
        return replace(it, verdict="diverged", correctness=Correctness(lost=3), why_failed="todo-7: 3 are lost")

    code, said = sit(tmp_path, MadeUp(), "--rounds", "2", kills=Kills(lossy))
    document = found(tmp_path)
    assert (code, document["sound"], document["why"]) == (1, False, "")
    ours = row(document, "tidemark")
    assert (ours["verdict"], ours["kill"]["verdict"]) == ("converged", "failed")
    assert ours["figures"]["actions_per_s"]["spread"]["trials"] == 2
    assert "tidemark: wrong after kill -9: kill-tidemark-0: todo-7: 3 are lost" in said
    assert "lost 3 (store)" in said
    (page,) = tmp_path.glob("*-targets-*/report.html")
    seen = page.read_text(encoding="utf-8")
    assert "wrong after kill -9" in seen
    assert "todo-7: 3 are lost" in seen
    told = comparison.render(document, [])
    assert "| Converged, wrong after kill -9 | store | `tidemark`" in told
    assert "| failed | `tidemark` | kill-projector, stream-leases | 1 of 1 | lost 3 | 1.2 s, 1.2 s |" in told


def test_one_that_does_not_come_back_is_marked_and_what_the_proof_can_not_see_is_said(tmp_path: Path) -> None:
    def stuck(_: int, it: Repetition) -> Repetition:
        unseen = Correctness(lost=None, duplicated=None, reordered=None, phantom=None)
        none = {"takeover_s": None, "right_again_s": None, "none_within_s": 15.0}
        return replace(it, verdict="timed_out", correctness=unseen, why_failed="9 events are left", **none)  # type: ignore[arg-type]

    _, said = sit(tmp_path, MadeUp(), "--rounds", "1", kills=Kills(stuck))
    assert "tidemark: not right again after kill -9: kill-tidemark-0: 9 events are left" in said
    assert "none within 15.0 s; right again: not seen; not converged 1 (store)" in said


def test_a_kill_that_did_not_hit_is_run_again_within_a_bound(tmp_path: Path) -> None:
    kills = Kills(lambda number, it: replace(it, hit=number > 1))
    sit(tmp_path / "later", MadeUp(), "--rounds", "1", kills=kills)
    assert len(kills.struck) == 2
    assert row(found(tmp_path / "later"), "tidemark")["kill"]["hit"] == 1
    never = Kills(lambda _, it: replace(it, hit=False, takeover_s=None))
    _, said = sit(tmp_path / "never", MadeUp(), "--rounds", "1", "--faults", "2", kills=never)
    assert len(never.struck) == 2 * ATTEMPTS
    assert f"met no work in hand in {2 * ATTEMPTS} runs" in said


def test_no_projector_is_killed_of_a_target_that_was_wrong_or_where_nobody_asks(tmp_path: Path) -> None:
    def wrong(_: int, result: Result) -> Result:
        bad = result.target["name"] == "tidemark"
        return replace(result, verdict="diverged", why="a row is wrong") if bad else result

    kills = Kills()
    sit(tmp_path / "wrong", MadeUp(wrong), "--rounds", "1", kills=kills)
    assert row(found(tmp_path / "wrong"), "tidemark")["not_killed"] == "it was not right before"
    sit(tmp_path / "unasked", MadeUp(), "--rounds", "1", "--no-faults", kills=kills)
    assert row(found(tmp_path / "unasked"), "tidemark")["not_killed"] == "it was not asked for"
    assert kills.struck == []


def test_a_target_that_can_not_be_struck_is_told_and_the_sitting_ends_well(tmp_path: Path) -> None:
    def refuse(_: int, it: Repetition) -> Repetition:
        raise SetupError("platform theirs", "has no power to kill the projector", "choose another")

    code, said = sit(tmp_path, MadeUp(), "--rounds", "1", kills=Kills(refuse))
    assert code == 0
    assert "has no power to kill" in row(found(tmp_path), "tidemark")["not_killed"]
    assert "has no power to kill" in said


def test_a_signal_among_the_kills_keeps_all_rounds_with_their_verdicts_and_the_kills_so_far(tmp_path: Path) -> None:
    def ending(number: int, it: Repetition) -> Repetition:
        if number == 2:
            raise Interrupted(signal.SIGINT)
        return it

    with pytest.raises(Interrupted):
        sit(tmp_path, MadeUp(), "--rounds", "7", "--faults", "3", kills=Kills(ending))
    document = found(tmp_path)
    assert (document["sound"], document["why"], document["complete"]) == (
        False,
        "the kills of projectors were broken off",
        7,
    )
    contrast = row(document, "crud")["figures"]["actions_per_s"]["contrast"]
    assert contrast is not None
    assert contrast["answer"] == "lower"
    struck = row(document, "tidemark")["kill"]
    assert (struck["repetitions"], struck["wanted"], struck["verdict"]) == (1, 3, "not hit")
