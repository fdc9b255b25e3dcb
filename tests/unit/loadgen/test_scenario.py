"""Scenarios are data: which phases, which users write."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from services.loadgen.settings import ScenarioName, Settings
from services.loadgen.workload.scenario import READ_MIX, WRITE_MIX, is_writer, pick, plan, probes, readers

SCENARIOS: list[ScenarioName] = ["throughput", "actions", "reads", "scaling", "combined"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_ends_with_convergence_and_verification(scenario: ScenarioName) -> None:
    *timed, convergence, verification = plan(Settings(scenario=scenario))
    assert (convergence.name, verification.name) == ("convergence", "verification")
    assert convergence.seconds is None
    assert timed[0].name == "warmup"
    assert {phase.name for phase in timed} == {"warmup", "load"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_load_lasts_as_long_as_asked_for(scenario: ScenarioName) -> None:
    settings = Settings(scenario=scenario, duration_s=12.0)
    assert sum(phase.seconds or 0 for phase in plan(settings) if phase.measured) == pytest.approx(12.0)


def test_throughput_is_warmup_then_load() -> None:
    phases = plan(Settings(warmup_s=3.0, write_ratio=0.8))
    assert [(p.name, p.mix, p.writers) for p in phases[:2]] == [("warmup", "mixed", 0.8), ("load", "mixed", 0.8)]


def test_without_warmup_there_is_none() -> None:
    assert [phase.name for phase in plan(Settings(warmup_s=0.0))] == ["load", "convergence", "verification"]


def test_reads_seeds_even_without_warmup_and_then_writes_nothing() -> None:
    seed, load, *_ = plan(Settings(scenario="reads", warmup_s=0.0))
    assert (seed.name, seed.mix, seed.seconds) == ("warmup", "create", 1.0)
    assert (load.mix, load.writers) == ("none", 0.0)


def test_scaling_adds_users_in_unmeasured_ramps() -> None:
    phases = plan(Settings(scenario="scaling"))[:-2]
    assert [phase.users for phase in phases if phase.measured] == [0.25, 0.5, 0.75, 1.0]
    for ramp, stage in zip(phases[0::2], phases[1::2], strict=True):
        assert (ramp.name, stage.name, ramp.users) == ("warmup", "load", stage.users)


def test_only_the_read_scenario_goes_without_the_probe() -> None:
    assert [probes(Settings(scenario=scenario)) for scenario in SCENARIOS] == [True, True, False, True, True]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.8, 0.99, 1.0])
@pytest.mark.parametrize("users", [1, 2, 7, 100, 101])
def test_the_share_of_writers_is_exact_to_one_user(users: int, share: float) -> None:
    writers = sum(is_writer(index, share) for index in range(users))
    assert abs(writers - users * share) < 1
    assert len(readers(range(users), share)) == users - writers


def test_the_mixes_are_those_of_the_contract() -> None:
    random = Random(1)
    drawn = Counter(pick(WRITE_MIX, random.random()) for _ in range(100_000))
    shares = {name: round(count / 100_000, 2) for name, count in drawn.items()}
    assert shares == {"create": 0.4, "update": 0.3, "delete": 0.3}
    assert {pick(READ_MIX, random.random()) for _ in range(1000)} == {"one", "list", "stats"}
