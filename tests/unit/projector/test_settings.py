"""The projector's settings: defaults, bounds, and refusals that name the variable."""

from __future__ import annotations

from datetime import timedelta

import pytest
import uvloop

from eventstore.shards.hash_slots import Place
from services.projector.__main__ import main
from services.projector.process import fleet
from services.projector.settings import Settings
from settings import SettingError

URLS = [f"postgresql://user:word@127.0.0.1/{name}" for name in ("one", "two", "three")]
THREE = {"DATABASE_URLS": " ".join(URLS)}
URL = {"DATABASE_URL": "postgresql://user:word@127.0.0.1/todos"}


def test_defaults() -> None:
    settings = Settings.from_env(URL)

    assert (settings.mode, settings.handler_latency, settings.visibility) == ("parallel", 0.0, "watermark")
    assert settings.lease == timedelta(seconds=5)


def test_every_variable_is_read_in_its_unit() -> None:
    settings = Settings.from_env(
        {
            **URL,
            "SERIAL_PROJECTION": "true",
            "PROJECTOR_NAME": "one",
            "HANDLER_LATENCY_MS": "5",
            "STREAMS_IN_FLIGHT": "7",
            "LEASE_SECONDS": "1.5",
            "POLL_MS": "20",
            "LINGER_MS": "0",
            "RETRY_ATTEMPTS": "3",
            "VISIBILITY": "naive",
            "LOG_LEVEL": "debug",
        }
    )

    assert settings == Settings(
        database_url=URL["DATABASE_URL"],
        strategy="global-order",
        name="one",
        handler_latency=0.005,
        streams_in_flight=7,
        lease=timedelta(seconds=1.5),
        poll=0.02,
        linger=0.0,
        attempts=3,
        visibility="naive",
        log_level="debug",
    )


def test_every_projector_has_a_name_of_its_own() -> None:
    assert Settings.from_env(URL).name != Settings.from_env(URL).name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "sqlite:///todos"),
        ("SERIAL_PROJECTION", "maybe"),
        ("HANDLER_LATENCY_MS", "-1"),
        ("HANDLER_LATENCY_MS", "5ms"),
        ("STREAMS_IN_FLIGHT", "0"),
        ("LEASE_SECONDS", "0.1"),
        ("POLL_MS", "0"),
        ("LINGER_MS", "1001"),
        ("RETRY_ATTEMPTS", "0"),
        ("VISIBILITY", "lucky"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.from_env({**URL, name: value})


def test_a_job_takes_more_at_once_unless_told_otherwise() -> None:
    assert Settings.from_env(URL).for_a_job().streams_in_flight == 2_000
    assert Settings.from_env({**URL, "STREAMS_IN_FLIGHT": "7"}).for_a_job().streams_in_flight == 7
    assert Settings.from_env({**URL, "HANDLER_LATENCY_MS": "5"}).for_a_job().streams_in_flight == 500


@pytest.mark.parametrize(
    ("value", "served"),
    [("", [0, 1, 2]), ("1", [1]), (" 2 , 0", [0, 2]), ("0,1,2", [0, 1, 2])],
)
def test_a_projector_serves_all_shards_or_those_that_it_is_pinned_to(value: str, served: list[int]) -> None:
    found = fleet.served(Settings.from_env({**THREE, "PROJECTOR_SHARDS": value}))
    assert found == [(URLS[number], Place(number, 3)) for number in served]


@pytest.mark.parametrize("value", ["3", "0,3", "-1", "1,1", "1,", ",", "one", "1;2", "1.0", "0x1", "²", "9" * 5000])
def test_a_shard_that_is_not_there_is_refused_before_any_work(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, told in {**THREE, "PROJECTOR_SHARDS": value}.items():
        monkeypatch.setenv(name, told)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr("sys.argv", ["projector"])
    monkeypatch.setattr(uvloop, "run", lambda _: pytest.fail("it works"))
    assert main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("PROJECTOR_SHARDS=")
    assert "expected numbers from 0 to 2, with commas" in line


def test_one_store_is_shard_0() -> None:
    assert fleet.served(Settings.from_env({**URL, "PROJECTOR_SHARDS": "0"})) == [(URL["DATABASE_URL"], Place())]
    with pytest.raises(SettingError, match="PROJECTOR_SHARDS"):
        Settings.from_env({**URL, "PROJECTOR_SHARDS": "1"})
