"""The settings of InfluxDB: all four or no address, and never the token in a text."""

from __future__ import annotations

import pytest

from metrics.target import Target
from settings import Environment, SettingError
from settings.catalogue import influx

NAMES = (influx.INFLUX_URL.name, *(setting.name for setting in influx.NEEDED))

ALL = dict(zip(NAMES, ("http://127.0.0.1:8086/", "secret", "tidemark", "bench"), strict=True))


def test_nothing_set_is_no_target() -> None:
    assert Target.from_env(Environment({})) is None
    assert Target.from_env(Environment(dict.fromkeys(NAMES, " "))) is None


def test_all_set_is_a_target() -> None:
    found = Target.from_env(Environment({**ALL, "GRAFANA_URL": "http://grafana:3000/"}))
    assert found == Target("http://127.0.0.1:8086", "secret", "tidemark", "bench", "http://grafana:3000")


def test_without_an_address_the_others_ask_for_nothing() -> None:
    assert Target.from_env(Environment({**ALL, "INFLUX_URL": ""})) is None


@pytest.mark.parametrize("missing", NAMES[1:])
def test_a_missing_one_is_named(missing: str) -> None:
    with pytest.raises(SettingError, match=rf"^{missing}="):
        Target.from_env(Environment({name: value for name, value in ALL.items() if name != missing}))


@pytest.mark.parametrize("name", ["INFLUX_URL", "GRAFANA_URL"])
@pytest.mark.parametrize("value", ["127.0.0.1:8086", "ftp://x", "http://", "http://x:0", "http://x:99999"])
def test_a_bad_address_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=rf"^{name}="):
        Target.from_env(Environment({**ALL, name: value}))


def test_the_token_is_not_told() -> None:
    assert "secret" not in repr(Target.from_env(Environment(ALL)))


@pytest.mark.parametrize("address", ["http://me:hunter2@127.0.0.1", "http://127.0.0.1?token=hunter2"])
def test_an_address_with_a_secret_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(SettingError, match="INFLUX_URL=") as refused:
        Target.from_env(Environment({**ALL, "INFLUX_URL": address}))
    assert "hunter2" not in str(refused.value)


def test_the_link_has_the_run_and_a_range_around_it() -> None:
    found = Target.from_env(Environment(ALL))
    assert found is not None
    assert found.dashboard("run 1", 1000.0, 1060.5) == (
        "http://localhost:3000/d/projection-consistency?from=995000&to=1065500&var-run=run+1"
    )
