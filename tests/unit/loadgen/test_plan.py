"""The phase plan: a scenario with the settings of a run. The shipped ones are as they were as code."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.loadgen.settings import Settings
from services.loadgen.workload.plan import Phase, is_writer, pick, plan, readers
from settings.scenarios import reader

SCENARIOS = ["throughput", "actions", "reads", "scaling", "combined"]
WRITES = (("create", 0.4), ("update", 0.7), ("delete", 1.0))
READS = (("one", 0.6), ("list", 0.8), ("stats", 1.0))
WORK: dict[str, tuple[Any, ...]] = {
    "mixed": (WRITES, READS, ()),
    "sequence": ((), READS, ("create", "update", "delete")),
    "create": ((("create", 1.0),), (), ()),
    "none": ((), READS, ()),
}
# Name, seconds, mix, writers and users of each phase, as the code had them before scenarios were files: with a warm-up
# of 3 s, a load of 30 s and half of the users writing; and with none, 12 s and 80 %.
BEFORE: dict[str, tuple[list[Any], list[Any]]] = {
    "throughput": (
        [("warmup", 3.0, "mixed", 0.5, 1.0), ("load", 30.0, "mixed", 0.5, 1.0)],
        [("load", 12.0, "mixed", 0.8, 1.0)],
    ),
    "actions": (
        [("warmup", 3.0, "sequence", 1.0, 1.0), ("load", 30.0, "sequence", 1.0, 1.0)],
        [("load", 12.0, "sequence", 1.0, 1.0)],
    ),
    "reads": (
        [("warmup", 3.0, "create", 1.0, 1.0), ("load", 30.0, "none", 0.0, 1.0)],
        [("warmup", 1.0, "create", 1.0, 1.0), ("load", 12.0, "none", 0.0, 1.0)],
    ),
    "scaling": (
        [
            *[("warmup", 3.0, "mixed", 0.5, 0.25), ("load", 7.5, "mixed", 0.5, 0.25)],
            *[("warmup", 2.0, "mixed", 0.5, 0.5), ("load", 7.5, "mixed", 0.5, 0.5)],
            *[("warmup", 2.0, "mixed", 0.5, 0.75), ("load", 7.5, "mixed", 0.5, 0.75)],
            *[("warmup", 2.0, "mixed", 0.5, 1.0), ("load", 7.5, "mixed", 0.5, 1.0)],
        ],
        [
            ("load", 3.0, "mixed", 0.8, 0.25),
            *[("warmup", 2.0, "mixed", 0.8, 0.5), ("load", 3.0, "mixed", 0.8, 0.5)],
            *[("warmup", 2.0, "mixed", 0.8, 0.75), ("load", 3.0, "mixed", 0.8, 0.75)],
            *[("warmup", 2.0, "mixed", 0.8, 1.0), ("load", 3.0, "mixed", 0.8, 1.0)],
        ],
    ),
    "combined": (
        [
            *[("warmup", 3.0, "mixed", 0.5, 0.5), ("load", 10.0, "mixed", 0.5, 0.5)],
            *[("warmup", 2.0, "mixed", 0.5, 1.0), ("load", 10.0, "mixed", 0.5, 1.0)],
            *[("warmup", 2.0, "sequence", 0.5, 1.0), ("load", 10.0, "sequence", 0.5, 1.0)],
        ],
        [
            ("load", 4.0, "mixed", 0.8, 0.5),
            *[("warmup", 2.0, "mixed", 0.8, 1.0), ("load", 4.0, "mixed", 0.8, 1.0)],
            *[("warmup", 2.0, "sequence", 0.8, 1.0), ("load", 4.0, "sequence", 0.8, 1.0)],
        ],
    ),
}
CONFIRMING = {"actions": (1.0, 1.0), "reads": (0.0, 0.0)}
DEFAULTS = {
    "throughput": {"VUS": "100", "DURATION": "30s", "WRITE_RATIO": "0.5", "HOLD": "5s"},
    "actions": {"VUS": "50", "DURATION": "30s", "WRITE_RATIO": "1"},
    "reads": {"VUS": "100", "DURATION": "20s", "WRITE_RATIO": "0"},
    "scaling": {"VUS": "200", "DURATION": "40s", "WRITE_RATIO": "0.5"},
    "combined": {"VUS": "100", "DURATION": "30s", "WRITE_RATIO": "0.5"},
}


def with_scenario(name: str, **values: Any) -> Settings:
    return replace(Settings(scenario=reader.load(name)), **values)


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("which", [0, 1])
def test_a_shipped_scenario_is_as_it_was(scenario: str, which: int) -> None:
    values = ({}, {"warmup_s": 0.0, "duration_s": 12.0, "write_ratio": 0.8})[which]
    *timed, convergence, verification = plan(with_scenario(scenario, **{"hold_s": 0.0, **values}))
    found = [(p.name, p.seconds, p.mix, p.writers, p.users) for p in timed]
    assert found == BEFORE[scenario][which]
    assert convergence == Phase("convergence", None, "none", CONFIRMING.get(scenario, (0.5, 0.8))[which])
    assert verification == Phase("verification", None, "none", 0.0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_users_of_a_shipped_scenario_do_as_they_did(scenario: str) -> None:
    for phase in plan(with_scenario(scenario, hold_s=0.0))[:-2]:
        writes, reads, sequence = WORK[phase.mix]
        assert (phase.writes, phase.sequence) == (writes, sequence)
        assert phase.reads == (() if phase.writers == 1.0 else reads)


def test_the_other_properties_of_the_shipped_scenarios_are_as_they_were() -> None:
    shipped = {name: reader.load(name) for name in SCENARIOS}
    assert reader.names() == ["throughput", "actions", "combined", "reads", "scaling"]
    assert {name: one.settings for name, one in shipped.items()} == DEFAULTS
    assert [name for name, one in shipped.items() if one.open_loop] == ["throughput", "reads"]
    assert [name for name, one in shipped.items() if one.staged] == ["scaling", "combined"]
    assert [name for name, one in shipped.items() if not one.visibility_probe] == ["reads"]
    assert {name: one.extra_s for name, one in shipped.items()} == {
        **dict.fromkeys(("throughput", "actions"), 0.0),
        **{"reads": 1.0, "scaling": 6.0, "combined": 4.0},
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_ends_with_convergence_and_verification(scenario: str) -> None:
    *timed, convergence, verification = plan(with_scenario(scenario, hold_s=0.0))
    assert (convergence.name, verification.name) == ("convergence", "verification")
    assert convergence.seconds is None
    assert timed[0].name == "warmup"
    assert {phase.name for phase in timed} == {"warmup", "load"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_load_lasts_as_long_as_asked_for(scenario: str) -> None:
    settings = with_scenario(scenario, duration_s=12.0)
    assert sum(phase.seconds or 0 for phase in plan(settings) if phase.measured) == pytest.approx(12.0)


def test_throughput_is_warmup_then_load() -> None:
    phases = plan(Settings(warmup_s=3.0, write_ratio=0.8))
    assert [(p.name, p.mix, p.writers) for p in phases[:2]] == [("warmup", "mixed", 0.8), ("load", "mixed", 0.8)]


def test_in_the_hold_users_do_as_in_the_load_and_nothing_is_measured() -> None:
    _, load, hold, convergence, _ = plan(Settings(hold_s=5.0))
    assert hold == replace(load, name="hold", seconds=None)
    assert (load.measured, hold.measured, convergence.measured) == (True, False, False)


def test_without_warmup_there_is_none() -> None:
    settings = Settings(warmup_s=0.0, hold_s=0.0)
    assert [phase.name for phase in plan(settings)] == ["load", "convergence", "verification"]


def test_reads_seeds_even_without_warmup_and_then_writes_nothing() -> None:
    seed, load, *_ = plan(with_scenario("reads", warmup_s=0.0))
    assert (seed.name, seed.mix, seed.seconds) == ("warmup", "create", 1.0)
    assert (load.mix, load.writers) == ("none", 0.0)


def test_scaling_adds_users_in_unmeasured_ramps() -> None:
    phases = plan(with_scenario("scaling", hold_s=0.0))[:-2]
    assert [phase.users for phase in phases if phase.measured] == [0.25, 0.5, 0.75, 1.0]
    for ramp, stage in zip(phases[0::2], phases[1::2], strict=True):
        assert (ramp.name, stage.name, ramp.users) == ("warmup", "load", stage.users)


def test_only_the_read_scenario_goes_without_the_probe() -> None:
    assert [reader.load(scenario).visibility_probe for scenario in SCENARIOS] == [True, True, False, True, True]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.8, 0.99, 1.0])
@pytest.mark.parametrize("users", [1, 2, 7, 100, 101])
def test_the_share_of_writers_is_exact_to_one_user(users: int, share: float) -> None:
    writers = sum(is_writer(index, share) for index in range(users))
    assert abs(writers - users * share) < 1
    assert len(readers(range(users), share)) == users - writers


def test_the_mixes_are_those_of_the_contract() -> None:
    phase, random = plan(Settings())[0], Random(1)
    drawn = Counter(pick(phase.writes, random.random()) for _ in range(100_000))
    shares = {name: round(count / 100_000, 2) for name, count in drawn.items()}
    assert shares == {"create": 0.4, "update": 0.3, "delete": 0.3}
    assert {pick(phase.reads, random.random()) for _ in range(1000)} == {"one", "list", "stats"}


def test_skew_is_of_the_phases_whose_writers_draw_updates() -> None:
    assert {phase.skew for phase in plan(with_scenario("throughput", skew=0.9)) if phase.seconds} == {0.9}
    assert [(phase.mix, phase.skew) for phase in plan(with_scenario("combined", skew=0.9)) if phase.measured] == [
        ("mixed", 0.9),
        ("mixed", 0.9),
        ("sequence", 0.0),
    ]
