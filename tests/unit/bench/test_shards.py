"""A run over several shards: what it offers, what it is refused with, and which drills apply to it."""

from __future__ import annotations

import argparse

import pytest

from bench.drill.choice import Choice, choose
from bench.ends.errors import SetupError
from bench.preflight.settings import Settings
from settings import SettingError

TWO = {"SHARDS": "2"}


def chosen(*faults: str, **variables: str) -> Choice:
    arguments = argparse.Namespace(faults=list(faults), repeat=1, seed=None, strategy=None, mode=None)
    return choose(arguments, variables)


def test_several_shards_have_no_log_in_common() -> None:
    one, two = Settings.from_env({}), Settings.from_env(TWO)
    assert "events" in one.target.capabilities
    assert set(one.target.capabilities) - set(two.target.capabilities) == {"events"}
    assert two.target.proof == "store"
    assert two.recorded()["SHARDS"] == 2
    assert "SHARDS" not in one.recorded()


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({**TWO, "DATABASE_URL": "postgresql://u:secret@h/d"}, "SHARDS"),
        ({**TWO, "BASE_URL": "http://127.0.0.1:1"}, "SHARDS"),
        ({**TWO, "TARGET": "crud"}, "SHARDS"),
        ({**TWO, "PLATFORM": "kubernetes"}, "SHARDS"),
        ({"DATABASE_URLS": "postgresql://u:secret@h/d postgresql://u:secret@h/e"}, "DATABASE_URLS"),
    ],
)
def test_what_is_not_of_the_runs_own_is_refused(variables: dict[str, str], name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=") as refused:
        Settings.from_env(variables)
    assert "secret" not in str(refused.value)


def test_a_fault_that_knows_no_shards_does_not_apply_to_several() -> None:
    found = chosen(**TWO)
    assert {"kill-projector", "kill-api", "lose-one-shard"} <= {drill.name for drill in found.drills}
    without = {one["name"]: one["why"] for one in found.not_applicable}
    assert "knows no shards" in without["restart-postgres"]
    with pytest.raises(SetupError, match="knows no shards"):
        chosen("restart-postgres", **TWO)


def test_one_shard_is_lost_of_those_that_the_fault_asks_for() -> None:
    (drill,) = chosen("lose-one-shard").drills
    assert drill.settings.shards == 2
    assert "lose-one-shard" in {one["name"] for one in chosen(TARGET="crud").not_applicable}
    with pytest.raises(SettingError, match="SHARDS"):
        chosen("lose-one-shard", TARGET="crud")
