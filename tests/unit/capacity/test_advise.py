"""`advise`: what measured curves show is named with its runs, and what they do not show as the run that is missing."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.answers.advise import command
from bench.answers.advise.choice import Asked, Shown, choose, missing
from bench.answers.capacity import command as capacities
from bench.preflight.description import machine
from metrics.reading import read
from metrics.records.answers.capacity import FILE, SCHEMA, Capacity
from settings import SettingError
from tests.unit.bench import bundles
from tests.unit.capacity.test_command import MadeUp, arguments

TOLD = (
    "VUS",
    "WRITE_RATIO",
    "SKEW",
    "HANDLER",
    "HANDLER_LATENCY_MS",
    "READ_MODELS",
    "STREAMS_IN_FLIGHT",
    "API_PROCESSES",
)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*TOLD, "BASE_URL", "DATABASE_URL", "DURATION", "PROJECTORS", "STRATEGY", "SERIAL_PROJECTION", "RATE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capacity of 1, 2 and 4 projectors, which hold at about 300, 520 and 610 requests/s, on this machine."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundles, "MACHINE", dict(machine()))
        system, console = MadeUp(), Console(file=StringIO())
        capacities.capacity(arguments(folder, "--budget", "1h"), console, system, lambda: system.seconds)
    return folder


def document(kept: Path) -> Capacity:
    (path,) = kept.glob(f"*-capacity-*/{FILE}")
    return read(path, Capacity, schema=SCHEMA)


def copied(kept: Path, folder: Path, change: Callable[[Any], None] = lambda _: None, name: str = "one") -> Path:
    changed: Any = json.loads(json.dumps(document(kept)))
    changed["capacity_id"] = name
    change(changed)
    (folder / name).mkdir()
    (folder / name / FILE).write_text(json.dumps(changed))
    return folder


def advise(results: Path, *words: str) -> tuple[int, str]:
    parser, said = argparse.ArgumentParser(), StringIO()
    command.add_arguments(parser)
    given = argparse.Namespace(**vars(parser.parse_args(words)), results=results)
    return command.advise(given, Console(file=said, width=200)), said.getvalue()


@pytest.mark.parametrize(("wanted", "projectors"), [("100", 1), ("250", 1), ("400", 2), ("550", 4)])
def test_the_fewest_projectors_that_hold_the_rate_are_named_with_their_runs(
    wanted: str, projectors: int, kept: Path
) -> None:
    code, said = advise(kept, "--rate", wanted, "--visible-p99", "50ms")
    assert code == 0
    assert f"set       STRATEGY=stream-leases PROJECTORS={projectors}\n" in said
    found = document(kept)
    curve = next(curve for curve in found["curves"] if curve["projectors"] == projectors)
    trials = [rung["run_id"] for rung in curve["rungs"] if rung["purpose"] == "confirm"]
    assert len(trials) == 3
    assert found["capacity_id"] in said
    assert all(trial in said for trial in trials)
    assert "WRITE_RATIO=0.5" in said
    assert "HANDLER=set" in said


def test_a_looser_objective_is_shown_by_a_stricter_one(kept: Path) -> None:
    assert advise(kept, "--rate", "250", "--visible-p99", "200ms")[0] == 0


@pytest.mark.parametrize(
    ("words", "variables", "why", "run"),
    [
        (
            ("--rate", "900"),
            {},
            "more than 4 projectors were not measured",
            "task bench:capacity -- --visible-p99 50ms --start 900 --strategies stream-leases --projectors 8",
        ),
        (
            ("--rate", "200", "--visible-p99", "20ms"),
            {},
            "what was measured has write to visible p99 ≤ 50 ms or more",
            "task bench:capacity -- --visible-p99 20ms --start 200",
        ),
        (
            ("--rate", "200"),
            {"HANDLER": "each", "SKEW": "0.5"},
            "no capacity was measured with these settings on this machine",
            "SKEW=0.5 HANDLER=each task bench:capacity -- --visible-p99 50ms --start 200",
        ),
    ],
)
def test_what_is_not_shown_is_named_as_the_run_that_is_missing(
    words: tuple[str, ...],
    variables: dict[str, str],
    why: str,
    run: str,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, said = advise(kept, *words)
    assert code == 1
    assert why in said
    assert f"run       {run}\n" in said


def test_without_any_capacity_the_whole_run_is_missing(tmp_path: Path) -> None:
    code, said = advise(tmp_path, "--rate", "200")
    assert code == 1
    assert "no capacity was measured on this machine" in said
    assert "run       task bench:capacity -- --visible-p99 50ms --start 200\n" in said


def test_settings_that_the_user_has_set_choose_the_measurement(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WRITE_RATIO", "0.5"), ("HANDLER_LATENCY_MS", "0"), ("READ_MODELS", "todos")):
        monkeypatch.setenv(name, value)
    assert advise(kept, "--rate", "200")[0] == 0


def test_other_machines_and_other_settings_of_postgres_are_left_out(kept: Path, tmp_path: Path) -> None:
    copied(kept, tmp_path, lambda it: it["machine"].update(cpu_model="Abacus 10"), "a")
    code, said = advise(tmp_path, "--rate", "200")
    assert (code, "1 capacities of other machines are left out" in said) == (1, True)
    copied(kept, tmp_path, lambda it: it["postgres"]["settings"].update(shared_buffers="1GB"), "b")
    copied(kept, tmp_path, name="c")
    code, said = advise(tmp_path, "--rate", "200")
    assert code == 0
    assert "1 capacities under other settings of Postgres than c are left out" in said
    assert "by        c, " in said


def test_a_document_that_can_not_be_read_is_left_out_and_named(kept: Path, tmp_path: Path) -> None:
    copied(kept, tmp_path, lambda it: it.pop("curves"), "broken")
    code, said = advise(tmp_path, "--rate", "200")
    assert code == 1
    assert "note: left out: " in said
    assert "`curves`" in said


def curves(kept: Path, change: Callable[[Any], None]) -> list[Shown]:
    found: Any = json.loads(json.dumps(document(kept)))
    for curve in found["curves"]:
        change(curve)
    return [Shown(found, curve) for curve in found["curves"]]


def test_a_rate_that_was_not_confirmed_is_no_advice(kept: Path) -> None:
    asked = Asked(200, 50, {})
    doubtful = curves(kept, lambda curve: curve.update(confirmed=2))
    assert choose(asked, doubtful) == []
    told = missing(asked, doubtful)
    assert "was not confirmed 3 times" in told.why
    assert told.arguments.endswith("--strategies stream-leases --projectors 4 --budget 30m")


def test_where_the_generator_ended_first_a_longer_look_is_missing(kept: Path) -> None:
    told = missing(Asked(5000, 50, {}), curves(kept, lambda curve: curve.update(fails=None, said="at least so much")))
    assert "beyond it nothing was shown: at least so much" in told.why


def test_where_more_projectors_hold_less_another_strategy_is_missing(kept: Path) -> None:
    worse = curves(kept, lambda curve: curve.update(holds=600 / curve["projectors"], fails=700 / curve["projectors"]))
    told = missing(Asked(900, 50, {}), worse)
    assert "more projectors did not hold more" in told.why
    assert told.arguments.endswith("--strategies stream-locks")


@pytest.mark.parametrize(
    ("words", "named"), [(("--rate", "0"), "--rate='0'"), (("--rate", "9", "--visible-p99", "x"), "--visible-p99='x'")]
)
def test_what_can_not_be_asked_is_refused_by_its_name(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=f"^{named}"):
        advise(tmp_path, *words)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WRITE_RATIO": 0.01}, ()),
        ({"HANDLER_LATENCY_MS": 9}, ()),
        ({"VUS": 7}, ()),
        ({}, ("--scenario", "sequences")),
    ],
)
def test_a_variable_that_is_unset_means_its_default_and_a_scenario_is_one_workload(
    variables: dict[str, Any], words: tuple[str, ...], kept: Path, tmp_path: Path
) -> None:
    copied(kept, tmp_path, lambda it: it["settings"].update(variables))
    code, said = advise(tmp_path, "--rate", "200", *words)
    assert (code, "no capacity was measured with these settings" in said) == (1, True)
    assert (
        f"run       task bench:capacity -- --visible-p99 50ms --start 200{' --scenario sequences' * bool(words)}\n"
        in (said)
    )


def spoil(**changed: Any) -> Callable[[Any], None]:
    return lambda it: it["curves"][0]["rungs"][0].update(changed)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (spoil(verdict="diverged", outcome="fails"), "1 capacities in which an oracle found a fault are left out"),
        (spoil(verdict="blocked", outcome="fails"), "1 capacities in which an oracle found a fault are left out"),
        (spoil(doubts=["others took 9 %"]), "1 curves with doubtful trials that were taken all the same"),
        (lambda it: it["postgres"]["settings"].update(fsync="off"), "1 capacities without durability"),
        (lambda it: it["settings"].update(TARGET="crud"), "1 capacities of other targets are left out"),
    ],
)
def test_what_is_unsound_doubted_or_not_durable_is_left_out_with_a_word(
    change: Callable[[Any], None], told: str, kept: Path, tmp_path: Path
) -> None:
    copied(kept, tmp_path, change)
    code, said = advise(tmp_path, "--rate", "250")
    assert told in said
    assert (code, "PROJECTORS=1\n" in said) == (0 if "curves" in told else 1, False)


def test_a_newest_run_without_durability_does_not_drop_those_that_have_it(kept: Path, tmp_path: Path) -> None:
    copied(kept, tmp_path, name="a")
    copied(kept, tmp_path, lambda it: it["postgres"]["settings"].update(fsync="off"), "b")
    code, said = advise(tmp_path, "--rate", "200")
    assert (code, "by        a, " in said, "1 capacities without durability" in said) == (0, True, True)


def test_the_revision_is_told_and_that_the_sitting_was_broken_off(kept: Path, tmp_path: Path) -> None:
    copied(
        kept, tmp_path, lambda it: it.update(versions={"revision": "0123456789abcdef", "dirty": True}, why="broken off")
    )
    _, said = advise(tmp_path, "--rate", "200")
    assert "of        revision 0123456789 with changes, throughput; broken off, after this was confirmed\n" in said
