"""One function hides secrets: whatever signs are in which part of an address, whole, malformed, or told by an error."""

from __future__ import annotations

import itertools
import json
import logging
from urllib.parse import quote

import pytest
import structlog

from bench.preflight.settings import Settings as Bench
from services import logs
from settings import SettingError
from settings.addresses.postgres_url import parse
from settings.hiding import hide, hider, is_secret, shown

SIGNS = ["@", "/", ":", "%", "#", "?", "&", "=", "é", "密", "'", '"', "\\", " ", "%2"]
PASSWORDS = [f"s3cr{sign}s3cret{sign}s3cr" for sign in SIGNS]
PARTS = ["me{}", "db{}x", "d{}b", "x{}"]


def addresses(password: str) -> list[str]:
    """The password where one may be, raw and encoded."""
    made = []
    for said in (password, quote(password, safe="")):
        made += [f"postgresql://me:{said}@127.0.0.1:5432/d", f"http://:{said}@host", f"me:{said}@host/d"]
        made += [
            f"postgresql://h/d?{name}={said}&x=1" for name in ("password", "sslpassword", "pass%77ord", "PassFile")
        ]
        made += [f"postgresql://me:{said}@/d?host=a,b", f"postgresql://me:{said}@[::1]:5432/d", f"mysql://me:{said}@h"]
    return made


@pytest.mark.parametrize("password", PASSWORDS)
def test_no_part_of_a_password_is_shown(password: str) -> None:
    for address in addresses(password):
        said = [
            shown("DATABASE_URL", address),
            hide(address, address),
            hide(f"the server at {address} said no", address),
            str(SettingError("DATABASE_URL", address, "something else")),
            hide(f"invalid literal for int(): {password!r}, or {password!a}", address),
            hide(f"no route to {quote(password, safe='')} or {password}", address),
        ]
        for text in said:
            assert "s3cr" not in text, (address, text)


@pytest.mark.parametrize(("sign", "part"), list(itertools.product(SIGNS, PARTS)))
def test_a_sign_in_another_part_does_not_uncover_the_password(sign: str, part: str) -> None:
    for password in ("s3cret", f"s3cret{sign}s3cret"):
        user, host, database, query = (one.format(sign if one == part else "") for one in PARTS)
        address = f"postgresql://{user}:{password}@{host}:5432/{database}?application_name={query}"
        assert "s3cret" not in shown("DATABASE_URL", address), address
        assert "s3cret" not in str(SettingError("DATABASE_URL", address, "something else"))


@pytest.mark.parametrize("password", PASSWORDS)
def test_the_bench_tells_of_no_password_whether_it_takes_the_address_or_not(password: str) -> None:
    for address in addresses(password):
        try:
            told = str(Bench.from_env({"DATABASE_URL": address}).recorded())
        except SettingError as error:
            told = str(error)
        assert "s3cr" not in told, (address, told)


@pytest.mark.parametrize("sign", ["@", ":", "%", "#", "é", "密"])
def test_a_password_with_such_a_sign_works_as_it_is(sign: str) -> None:
    password = f"sec{sign}ret"
    for said in (password, quote(password, safe="")):
        assert parse(f"postgresql://u:{said}@127.0.0.1:5432/d").password == password


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:pw@db/x", "postgresql://***@db/x"),
        ("postgresql://u:sec@ret@127.0.0.1:5432/d", "postgresql://***@127.0.0.1:5432/d"),
        ("two: http://a:b@c and postgres://d:e@f/g", "two: http://***@c and postgres://***@f/g"),
        ("http://a_token@c/d", "http://***@c/d"),
        ("http://c/d?password=pw&x=1", "http://c/d?password=***&x=1"),
        ("http://c/d?Token=pw", "http://c/d?Token=***"),
        ("host=db password='my secret' user=me", "host=db password=*** user=me"),
        ("{'password': 'pw', 'user': 'me'}", "{'password': ***, 'user': 'me'}"),
        ("Authorization: Token abc", "Authorization: Token ***"),
        ("authorization=Bearer abc", "authorization=Bearer ***"),
        ("postgresql://me:secret", "postgresql://me:***"),
        ("postgresql://h1:5432,[::1]:5433/d", "postgresql://h1:5432,[::1]:5433/d"),
        ("http://127.0.0.1:8000/a:b", "http://127.0.0.1:8000/a:b"),
        ("me@example.org", "me@example.org"),
        ('password authentication failed for user "me"', 'password authentication failed for user "me"'),
        ("nothing secret", "nothing secret"),
    ],
)
def test_what_is_hidden_and_what_is_not(text: str, expected: str) -> None:
    assert hide(text) == expected


def test_a_setting_that_is_secret_by_name_is_never_shown() -> None:
    for name in ("INFLUX_TOKEN", "POSTGRES_PASSWORD", "OTEL_EXPORTER_OTLP_HEADERS", "API_KEY", "primary_conninfo"):
        assert is_secret(name)
        assert shown(name, "s3cret") == "***"
        assert "s3cret" not in str(SettingError(name, "s3cret", "something else"))


def test_a_process_hides_what_its_variables_keep_secret() -> None:
    said = hider({"DATABASE_URL": "postgresql://u:s3%40cret@h/d", "INFLUX_TOKEN": "t0ken", "PLAIN": "word"})
    assert said("word: s3@cret or s3%40cret with t0ken") == "word: *** or *** with ***"


def test_a_log_line_has_no_secret_not_even_in_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3%40cré@h/d")
    logs._hider.cache_clear()
    kept = structlog.get_config()
    asyncio_logger = logging.getLogger("asyncio")
    monkeypatch.setattr(asyncio_logger, "handlers", asyncio_logger.handlers)
    monkeypatch.setattr(asyncio_logger, "propagate", asyncio_logger.propagate)
    try:
        logs.set_up("info", "test")
        try:
            raise ValueError("invalid dsn postgresql://u:s3%40cré@h/d")
        except ValueError:
            structlog.get_logger().exception("away", error="for 's3@cré'", count=3)
    finally:
        structlog.configure(**kept)
        logs._hider.cache_clear()
    line = capsys.readouterr().err
    assert json.loads(line)["count"] == 3
    assert "s3" not in line
