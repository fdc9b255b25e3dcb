"""A run over several shards: what it offers, what it is refused with, and which drills apply to it."""

from __future__ import annotations

import argparse

import pytest

from bench.drill.choice import Choice, choose
from bench.ends.errors import SetupError
from bench.faults import pause_api
from bench.preflight.settings import Settings
from bench.trial import fault
from settings import SettingError

TWO = {"SHARDS": "2"}
API = "http://127.0.0.1:1"
FIRST, SECOND = "postgresql://u:secret@h/d", "postgresql://u:secret@h/e"


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
        ({**TWO, "DATABASE_URL": FIRST}, "SHARDS"),
        ({**TWO, "BASE_URL": API}, "SHARDS"),
        ({**TWO, "TARGET": "crud"}, "SHARDS"),
        ({**TWO, "PLATFORM": "kubernetes", "DATABASE_URL": FIRST}, "SHARDS"),
        ({**TWO, "BASE_URL": API, "DATABASE_URL": FIRST}, "SHARDS"),
        ({"DATABASE_URLS": f"{FIRST} {SECOND}"}, "DATABASE_URLS"),
        ({"DATABASE_URLS": f"{FIRST} {SECOND}", "BASE_URL": API, "DATABASE_URL": SECOND}, "DATABASE_URL"),
        ({"DATABASE_URLS": f"{FIRST} {SECOND}", "BASE_URL": API, "SHARDS": "3"}, "SHARDS"),
        ({"DATABASE_URLS": f"{FIRST} {SECOND}", "PLATFORM": "kubernetes"}, "DATABASE_URLS"),
    ],
)
def test_what_is_not_of_the_runs_own_is_refused(variables: dict[str, str], name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=") as refused:
        Settings.from_env(variables)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("more", [{}, TWO, {"DATABASE_URL": FIRST}])
def test_the_shards_of_a_system_that_runs_already_are_as_many_as_its_addresses(more: dict[str, str]) -> None:
    settings = Settings.from_env({"BASE_URL": API, "DATABASE_URLS": f"{FIRST} {SECOND}", **more})
    assert (settings.shards, settings.database_urls) == (2, (FIRST, SECOND))
    assert "events" not in settings.target.capabilities
    assert settings.target.proof == "store"
    told = settings.recorded()
    assert told["SHARDS"] == 2
    assert "secret" not in str(told)


def test_one_address_in_the_list_is_one_shard() -> None:
    settings = Settings.from_env({"BASE_URL": API, "DATABASE_URLS": FIRST})
    assert settings == Settings.from_env({"BASE_URL": API, "DATABASE_URL": FIRST})


def test_every_fault_of_ours_applies_to_several_shards() -> None:
    found = chosen(**TWO)
    assert {drill.name for drill in found.drills} == set(fault.names())
    assert not found.not_applicable


def test_a_fault_that_does_not_say_what_it_strikes_of_several_shards_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(pause_api.Fault, "sharded")
    without = {one["name"]: one["why"] for one in chosen(**TWO).not_applicable}
    assert list(without) == ["pause-api"]
    assert "does not say what it strikes of several shards" in without["pause-api"]
    with pytest.raises(SetupError, match="pause-api does not say"):
        chosen("pause-api", **TWO)
    assert chosen("pause-api").drills


def test_one_shard_is_lost_of_those_that_the_fault_asks_for() -> None:
    (drill,) = chosen("lose-one-shard").drills
    assert drill.settings.shards == 2
    assert "lose-one-shard" in {one["name"] for one in chosen(TARGET="crud").not_applicable}
    with pytest.raises(SettingError, match="SHARDS"):
        chosen("lose-one-shard", TARGET="crud")
