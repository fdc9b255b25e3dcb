"""The projector's settings: defaults, bounds, and refusals that name the variable."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.projector.settings import Settings
from settings import SettingError

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
