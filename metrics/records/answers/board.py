"""`board.json`: the rows of a board, table by table, and what was left out."""

from __future__ import annotations

from typing import Any, Final, TypedDict

SCHEMA: Final = 1
FILE: Final = "board.json"


class Board(TypedDict):
    """A table is what may be ranked; `left_out` is a file, and why."""

    schema: int
    board_id: str
    tables: list[dict[str, Any]]
    left_out: list[tuple[str, str]]
