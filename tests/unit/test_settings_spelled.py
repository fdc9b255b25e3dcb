"""A setting that is handed on to a child reads back as just the value that the parent had, over its whole range."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bench.preflight.settings import Settings as Bench
from services.api.settings import Settings as Api
from services.loadgen.settings import Settings as Loadgen
from services.loadgen.worker import command
from services.projector.settings import Settings as Projector
from settings import Environment, SettingError, catalogue
from settings.catalogue.api import API_PORT
from settings.catalogue.database import SHARDS
from settings.catalogue.kinds import Choice, Duration, Flag, Integer, Number, Setting
from settings.catalogue.load import SCENARIO
from settings.catalogue.observation import SAMPLE_RESOURCES
from settings.catalogue.projection import PROJECTORS, STRATEGY
from settings.environment import plain
from settings.scenarios import reader

URL = "postgresql://user:password@127.0.0.1:5432/tidemark"
SETTINGS = [
    setting
    for setting in catalogue.every()
    if isinstance(setting, Integer | Number | Duration | Flag | Choice) and setting.readers != ("stack",)
]
APART = (STRATEGY, API_PORT)
"""One follows another setting, one is an address."""
READERS: tuple[Callable[[Mapping[str, str]], Any], ...] = (Bench.from_env, Loadgen.from_env, Projector.from_env)


def values(setting: Setting) -> st.SearchStrategy[Any]:
    """Everything that a setting may be."""
    match setting:
        case Integer():
            return st.integers(setting.low, setting.high)
        case Number() | Duration():
            return st.floats(float(setting.low), float(setting.high))
        case Flag():
            return st.booleans()
        case Choice():
            return st.sampled_from(setting.choices)
        case _ if setting == SCENARIO:
            return st.sampled_from(reader.names())
        case _:
            raise AssertionError(f"no values for {setting}")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
@effort(deadline=None)
@given(data=st.data())
def test_a_value_reads_back_as_itself(setting: Any, data: st.DataObject) -> None:
    value = data.draw(values(setting))
    read = setting.read(Environment({setting.name: setting.spell(value)}))
    assert read == value
    assert type(read) is type(value)


@effort(deadline=None)
@given(st.floats(0, 1e300))
def test_no_number_is_spelled_with_an_exponent(value: float) -> None:
    assert float(plain(value)) == value
    assert "e" not in plain(value)


@effort(deadline=None)
@given(data=st.data())
def test_a_whole_run_is_handed_on_as_it_was_read(data: st.DataObject) -> None:
    drawn = [s for s in SETTINGS if s.shown and s not in APART and data.draw(st.booleans())]
    given_values = {s.name: s.spell(data.draw(values(s))) for s in drawn}
    if given_values.get("SCENARIO", "throughput") not in ("throughput", "reads"):
        given_values.pop("RATE", None)
    scenario = given_values.pop("SCENARIO", "throughput")
    settings = Bench.from_env(given_values, scenario=scenario)
    told = settings.environment()
    # How many they are is no projector's own affair, and what is looked at beside a run is the bench's alone.
    told |= {"PROJECTORS": PROJECTORS.spell(settings.projectors)}
    told |= {"SHARDS": SHARDS.spell(settings.shards)}
    told |= {"SAMPLE_RESOURCES": SAMPLE_RESOURCES.spell(settings.sample_resources)}
    assert Bench.from_env(told, scenario=scenario) == settings
    loadgen = Loadgen.from_env(told)
    assert (loadgen.users, loadgen.duration_s, loadgen.warmup_s) == (
        settings.users,
        settings.duration_s,
        settings.warmup_s,
    )
    assert (loadgen.rate, loadgen.think_time_ms) == (settings.rate, settings.think_time_ms)
    assert (loadgen.write_ratio, loadgen.convergence_max_s) == (settings.write_ratio, settings.convergence_max_s)
    assert Loadgen.from_env({**told, **loadgen.told()}) == loadgen, "a worker does as its master does"
    projector = Projector.from_env({**told, "DATABASE_URL": URL, "PROJECTOR_NAME": "one"})
    assert projector.handler_latency == settings.handler_latency_ms / 1000


ODD = [
    "1e3", "1e+06", "1E5", "1_000", "0x10", "nan", "NaN", "inf", "-inf", "Infinity", "-0", "+1", "+0", "--1", "1,5",
    "1 000", "", " ", "\u00a0", "\u2003\u3000", "\ufeff1", "\u0661", "\u00b2", "½", "9" * 400, "-" + "9" * 400,
    ".5", "5.", ".", "1s", "1500ms", "0.5s", "1m", "+2s", "-2s", "1 s", "1\u00a0s", "0s", "1h1m", "true", "TRUE", "tru",
    "0.1", "1", "64", "65", "100000", "100001", "1000000", "1000001", "3600000", "# a comment", "1 # a comment", "'1'",
]  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_what_the_bench_takes_every_child_takes(setting: Setting) -> None:
    """Odd texts are refused by name, in one line and by the bench, or reach the children as a usable value."""
    for text in ODD:
        variables = {"DATABASE_URL": URL, setting.name: text}
        if said := refusal(Bench.from_env, variables):
            assert said.startswith(f"{setting.name}=")
            assert "\n" not in said
            continue
        told = Bench.from_env(variables).environment()
        for read in (*READERS, Api.from_env):
            assert not refusal(read, {"DATABASE_URL": URL, **told})
        value = told.get(setting.name)
        assert not value or not isinstance(setting, Number | Integer) or math.isfinite(float(value))


def refusal(read: Callable[[Mapping[str, str]], Any], variables: Mapping[str, str]) -> str:
    try:
        read(variables)
    except SettingError as error:
        return str(error)
    return ""


def test_a_bound_is_told_in_the_form_that_is_taken() -> None:
    with pytest.raises(SettingError, match=r"RATE='1e\+06' is not usable: expected a number, 0\.1 to 1000000$"):
        Bench.from_env({"RATE": "1e+06"})


@pytest.mark.parametrize(
    ("name", "text"),
    [("RATE", "1000000"), ("THINK_TIME_MS", "3600000"), ("SEED", str(2**53)), ("DURATION", "1234567ms")],
)
def test_a_large_value_is_handed_on_digit_by_digit(name: str, text: str) -> None:
    told = Bench.from_env({name: text}).environment()[name]
    assert told == {"1234567ms": "1234.567s"}.get(text, text)


@pytest.mark.parametrize("name", ["WRITE_RATIO", "THINK_TIME_MS", "HANDLER_LATENCY_MS"])
def test_nothing_below_zero_is_zero(name: str) -> None:
    assert Bench.from_env({name: "-0"}).environment()[name] == "0"


ADDRESSES = [
    "http://h:1", "http://h:1/", "http://h", "http://h:1/path", "http://h:1?x", "http://h:1#x", "http://h:0",
    "http://h:99999", "ftp://h", "h:1", "http://", "http://u:pw@h:1", "http://h:1/ x", "http://[::1]:1",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_the_bench_takes_the_load_generator_takes(address: str) -> None:
    variables = {"DATABASE_URL": URL, "BASE_URL": address}
    assert bool(refusal(Bench.from_env, variables)) == bool(refusal(Loadgen.from_env, variables))
    assert "pw" not in refusal(Bench.from_env, {**variables, "BASE_URL": f"{address}?"})


@pytest.mark.parametrize(
    ("address", "usable"),
    [("h:1", True), ("[::1]:65535", True), ("h:0", False), ("h:65536", False), ("h", False), (":1", False),
     ("h:x", False), ("h:\u0661", False), ("a b:1", False), ("::1:5557", False)],
)  # fmt: skip
def test_a_worker_and_its_master_take_the_same_addresses(address: str, usable: bool) -> None:
    assert bool(refusal(Loadgen.from_env, {"LOADGEN_LISTEN": address})) != usable
    assert bool(refusal(lambda given: command(given["LOADGEN_MASTER"]), {"LOADGEN_MASTER": address})) != usable
