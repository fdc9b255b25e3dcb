"""Settings: every kind, its bounds, and a refusal that names the variable and keeps its secrets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from settings import Environment, SettingError

NAME = "THING"


def env(value: str) -> Environment:
    return Environment({NAME: value, "OTHER": "other"})


READERS: dict[str, Callable[[Environment], object]] = {
    "text": lambda e: e.text(NAME, "usual"),
    "optional": lambda e: e.optional(NAME),
    "integer": lambda e: e.integer(NAME, 7, low=1, high=10),
    "number": lambda e: e.number(NAME, 0.5, low=0, high=1),
    "duration": lambda e: e.duration(NAME, "30s", low=0.001, high=3600),
    "flag": lambda e: e.flag(NAME, True),
    "choice": lambda e: e.choice(NAME, "info", ["debug", "info"]),
}

USUAL = {
    "text": "usual",
    "optional": None,
    "integer": 7,
    "number": 0.5,
    "duration": 30.0,
    "flag": True,
    "choice": "info",
}


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("value", [None, "", "  ", "\t\n"])
def test_what_is_not_set_or_empty_takes_the_default(kind: str, value: str | None) -> None:
    environment = Environment({} if value is None else {NAME: value})
    assert READERS[kind](environment) == USUAL[kind]


GOOD = [
    ("text", "a b", "a b"),
    ("text", "  padded  ", "padded"),
    ("optional", "set", "set"),
    ("integer", "1", 1),
    ("integer", "10", 10),
    ("integer", "+5", 5),
    ("integer", "007", 7),
    ("number", "0", 0.0),
    ("number", "1.0", 1.0),
    ("number", ".25", 0.25),
    ("number", "1.", 1.0),
    ("duration", "500ms", 0.5),
    ("duration", "1ms", 0.001),
    ("duration", "30s", 30.0),
    ("duration", "1.5m", 90.0),
    ("duration", "1h", 3600.0),
    ("duration", "2", 2.0),
    ("duration", "2 s", 2.0),
    *(("flag", word, True) for word in ("true", "TRUE", "1", "yes", "On")),
    *(("flag", word, False) for word in ("false", "False", "0", "no", "OFF")),
    ("choice", "debug", "debug"),
]


@pytest.mark.parametrize(("kind", "value", "meaning"), GOOD)
def test_what_a_value_means(kind: str, value: str, meaning: object) -> None:
    read = READERS[kind](env(value))
    assert (read, type(read)) == (meaning, type(meaning))


BAD = [
    ("integer", "0", "1 to 10"),
    ("integer", "11", "1 to 10"),
    ("integer", "-1", "1 to 10"),
    ("integer", "1.5", "whole number"),
    ("integer", "1e1", "whole number"),
    ("integer", "ten", "whole number"),
    ("integer", "0x7", "whole number"),
    ("integer", "1_0", "whole number"),
    ("integer", "9" * 5000, "whole number"),
    ("number", "1.01", "0 to 1"),
    ("number", "-0.1", "0 to 1"),
    ("number", "nan", "a number"),
    ("number", "inf", "a number"),
    ("number", "9" * 400, "a number"),
    ("number", "half", "a number"),
    ("number", ".", "a number"),
    ("duration", "abc", "30s, 500ms or 2m"),
    ("duration", "-5s", "0.001 to 3600 seconds"),
    ("duration", "0", "0.001 to 3600 seconds"),
    ("duration", "61m", "0.001 to 3600 seconds"),
    ("duration", "5 days", "duration"),
    ("duration", "5s5s", "duration"),
    ("flag", "maybe", "true or false"),
    ("flag", "2", "true or false"),
    ("choice", "loud", "one of debug, info"),
    ("choice", "INFO", "one of debug, info"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), BAD)
def test_a_refusal_is_one_line_that_names_the_variable_and_what_is_allowed(
    kind: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingError) as refusal:
        READERS[kind](env(value))

    message = str(refusal.value)
    assert message.startswith(f"{NAME}=")
    assert expected in message
    assert value[:100] in message
    assert "\n" not in message
    assert len(message) < 400
    assert refusal.value.name == NAME


MUST: dict[str, Callable[[Environment], object]] = {
    "text": lambda e: e.text(NAME, expected="a name"),
    "integer": lambda e: e.integer(NAME, None, low=1, high=2),
    "number": lambda e: e.number(NAME, None, low=1, high=2),
}


@pytest.mark.parametrize("kind", MUST)
def test_what_must_be_set_is_asked_for_by_name(kind: str) -> None:
    with pytest.raises(SettingError, match=r"THING.*not set"):
        MUST[kind](Environment({NAME: " "}))


def test_a_refusal_stays_one_line_whatever_the_value() -> None:
    with pytest.raises(SettingError) as refusal:
        READERS["choice"](env("a\nb\x1b[31m"))
    assert "\n" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@host:5432/db",
        "postgres://user:s3cret@host",
        "http://:s3cret@host",
        "postgresql://user:s3cr/s3cret@host/db",
        "postgresql://user:a@s3cret@host/db",
        "postgresql://host/db?user=u&password=s3cret&sslmode=require",
        "postgresql://user:s3cret",
        "mysql://user:s3cret@host/db and some more",
    ],
)
def test_no_refusal_tells_a_password(url: str) -> None:
    message = str(SettingError("DATABASE_URL", url, "something else"))
    assert "s3cret" not in message
    assert "***" in message


def test_an_address_without_a_password_is_told_in_full() -> None:
    for address in (
        "postgresql://host:5432/db",
        "postgresql://[::1]:5432/db",
        "http://127.0.0.1:8000/path?x=1",
        "host:5432",
    ):
        assert address in str(SettingError("BASE_URL", address, "something else"))
