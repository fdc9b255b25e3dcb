"""The table of SQLSTATEs: each class has its kind, a code wins over its class, and nothing unknown is taken lightly."""

from __future__ import annotations

import inspect

import asyncpg
import pytest
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError

from eventstore.connection.database import translate
from eventstore.errors import (
    InvalidEvent,
    NoAnswerInTime,
    StoreBusy,
    StoreUnavailable,
    StoreUnsound,
    TimeLimit,
    VersionConflict,
)
from eventstore.sqlstates import SQLSTATES, kind_of, passes, smaller_may_pass

KNOWN = [
    one
    for one in vars(asyncpg.exceptions).values()
    if inspect.isclass(one) and issubclass(one, asyncpg.PostgresError) and getattr(one, "sqlstate", None)
]
"""Appendix A of the manual, as the driver has it."""


def answered(code: str) -> asyncpg.PostgresError:
    """What the driver raises for an answer with the code."""
    return asyncpg.PostgresError.new({"C": code, "M": "a word", "S": "ERROR", "V": "ERROR"})


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("again", "40001 40P01 55006 55P03 55P04 57014 25P04 72000 XX000"),
        ("away", "08000 08006 08P01 25006 25P03 26000 28000 28P01 3D000 40003 53000 53100 53200 53300 53400 55000"),
        ("away", "57000 57P01 57P02 57P03 57P04 57P05 58000 58030 58P01 F0001 42P05"),
        ("poison", "21000 22003 22021 22P02 23502 23505 23514 44000 54000 54001 P0001 P0004"),
        ("defect", "0A000 24000 25001 34000 3F000 42501 42601 42703 42883 42P01 55P02 HV000 XX001 XX002 ZZ999"),
    ],
)
def test_the_kind_of_each_code(kind: str, codes: str) -> None:
    assert {code: kind_of(answered(code)) for code in codes.split()} == dict.fromkeys(codes.split(), kind)


@pytest.mark.parametrize("known", KNOWN, ids=lambda one: one.__name__)
def test_what_passes_is_never_blamed_on_an_event(known: type[asyncpg.PostgresError]) -> None:
    """Every code that the driver knows is the store's busy or unavailable where it passes, and nothing else is."""
    error = known("a word")
    translated = translate(error)
    assert passes(error) == isinstance(translated, StoreUnavailable)
    assert (kind_of(error) == "again") == isinstance(translated, StoreBusy)


def test_every_row_says_why_and_is_found() -> None:
    for code, meaning in SQLSTATES.items():
        assert meaning.why
        assert kind_of(answered(code.ljust(5, "0"))) == meaning.kind


@pytest.mark.parametrize("code", ["57014", "25P04"])
def test_time_limits_are_told_apart(code: str) -> None:
    assert type(translate(answered(code))) is TimeLimit


def test_a_smaller_statement_may_pass() -> None:
    smaller = {code for code in SQLSTATES if smaller_may_pass(answered(code.ljust(5, "0")))}
    assert smaller == {"57014", "25P04", "53200", "53400", "XX000"}
    limit = translate(answered("57014"))
    assert limit is not None
    limit.__cause__ = answered("57014")
    assert smaller_may_pass(limit)
    assert smaller_may_pass(NoAnswerInTime("late"))
    assert not smaller_may_pass(StoreUnavailable("away"))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError("refused"), "away"),
        (TimeoutError(), "away"),
        (EOFError(), "away"),
        (asyncpg.InterfaceError("connection is closed"), "away"),
        (asyncpg.exceptions.OutdatedSchemaCacheError("changed"), "again"),
        (asyncpg.InvalidCachedStatementError("changed"), "again"),
        (StoreBusy("busy"), "again"),
        (StoreUnavailable("away"), "away"),
        (StoreUnsound("unsound"), "away"),
        (InvalidEvent("bad"), "poison"),
        (VersionConflict("s", 1, 2), "poison"),
        (ZeroDivisionError(), "defect"),
        (KeyError("name"), "defect"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_comes_without_a_code(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


@pytest.mark.parametrize(("code", "kind"), [("25006", "away"), ("40P01", "again"), ("23514", "poison"), (None, "away")])
def test_what_sqlalchemy_wraps_is_looked_into(code: str | None, kind: str) -> None:
    original = answered(code) if code else ConnectionResetError()
    wrapped = DBAPIError("SELECT 1", None, AsyncAdapt_asyncpg_dbapi.Error("wrapped", original))
    assert kind_of(wrapped) == kind
