"""Statements and addresses: what is compiled, what is bound, what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import BigInteger, Integer, bindparam, column, select, text

from eventstore.connection.address import parse_url
from eventstore.connection.statement import Statement


def test_a_value_named_twice_is_bound_once() -> None:
    statement = Statement(text("SELECT :n ::int + :n ::int + :m ::int"))

    assert statement.sql == "SELECT $1 ::int + $1 ::int + $2 ::int"
    assert statement.arguments({"m": 2, "n": 1}) == [1, 2]


def test_constants_are_bound_and_what_is_missing_is_null() -> None:
    statement = Statement(select(column("a")).where(column("a") > 7, column("a") < bindparam("n", type_=Integer)))

    assert sorted(statement.arguments({"n": 1})) == [1, 7]
    assert Statement(select(bindparam("n", type_=BigInteger))).arguments({}) == [None]


def test_an_unknown_name_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="stream"):
        Statement(text("SELECT :n ::int")).arguments({"n": 1, "stream": "s"})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "todos",
        "mysql://u:p@h/db",
        "sqlite:///file",
        "postgresql://u:p@h:5432",
        "postgresql://h:port/db",
        "http://h/db",
    ],
)
def test_what_is_no_postgres_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="expected postgresql://user:password@host:port/database") as refusal:
        parse_url(url)
    assert not url or url not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://u:p%40ss@h:5432/db", "postgresql://u:p%40ss@h:5432/db"),
        ("postgres://h/db", "postgresql://h:5432/db"),
        ("postgresql+asyncpg://h/db?sslmode=require", "postgresql://h:5432/db?sslmode=require"),
        ("postgresql+psycopg://[::1]:5432/db", "postgresql://[::1]:5432/db"),
    ],
)
def test_the_driver_gets_the_url_that_was_given(url: str, driver: str) -> None:
    assert parse_url(url).dsn == driver
