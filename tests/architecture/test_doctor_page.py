"""The page of engines: its table is what the code has, and every row has a reason and a place in it."""

from __future__ import annotations

import pytest

from metrics.records.doctor import Fact
from services.doctor.engines import ENGINES, Engine, named
from services.doctor.page import PATH, written
from settings import strategies

PAGE = PATH.read_text(encoding="utf-8")


def test_the_table_is_what_the_code_has() -> None:
    assert written(PAGE) == PAGE, "run `task docs`"


def test_a_change_of_the_table_is_found() -> None:
    assert written(PAGE.replace("| tested once |", "| tested here |")) == PAGE


@pytest.mark.parametrize("one", ENGINES, ids=lambda one: one.name)
def test_a_row_says_how_each_strategy_stands_and_why(one: Engine) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {one.name} |"))
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert cells[1 : 1 + len(strategies.offered())] == [one.stand(strategy) for strategy in strategies.offered()]
    assert len(one.why) > 20


def test_a_server_is_named_by_all_rows_that_it_is() -> None:
    told = [
        Fact("engine", "PostgreSQL"),
        Fact("version", "18.1"),
        Fact("pooler", "session mode"),
        Fact("sequence", "the sequence events_position_seq has CACHE 20: …"),
    ]
    assert named(told) == ["PostgreSQL 18", "PgBouncer, session mode", "a sequence of positions with a cache"]
    assert named([Fact("engine", "PostgreSQL"), Fact("version", "14.2")]) == []
