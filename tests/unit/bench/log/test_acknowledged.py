"""What the load generator leaves of acknowledged writes is what the oracle reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.ends.errors import RunFailed
from bench.oracle.log import acknowledged as reading
from services.loadgen.judge.ledger import Ledger
from services.loadgen.output import acknowledged as writing


def ledger() -> Ledger:
    """Two that live, one that is deleted and packed, and one of which no answer came."""
    made = Ledger()
    made.created("todo-a", 1, "a")
    made.updated("todo-a", 3, "c")
    made.updated("todo-a", 2, "b")
    made.created("todo ü\ud800", 1, "x")
    made.created("todo-b", 1, "b")
    made.begin("todo-b")
    made.deleted("todo-b", 2)
    made.end("todo-b")
    made.unanswered("update", "todo-c", "never known")
    return made


def test_each_todo_has_its_highest_acknowledged_version(tmp_path: Path) -> None:
    assert writing.FILE == reading.FILE
    writing.leave(tmp_path, ledger())
    found = reading.read(tmp_path)
    assert found is not None
    assert sorted(found) == [("todo ü\ud800", 1), ("todo-a", 3), ("todo-b", 2)]


def test_where_no_file_was_left_nothing_is_known(tmp_path: Path) -> None:
    assert reading.read(tmp_path) is None


@pytest.mark.parametrize("content", [b"no gzip", None])
def test_a_file_that_is_cut_off_is_said(tmp_path: Path, content: bytes | None) -> None:
    writing.leave(tmp_path, ledger())
    path = tmp_path / reading.FILE
    path.write_bytes(content or path.read_bytes()[:-9])
    found = reading.read(tmp_path)
    assert found is not None
    with pytest.raises(RunFailed, match=r"acknowledged\.jsonl\.gz can not be read"):
        list(found)


def test_a_folder_that_can_not_be_written_leaves_no_file(tmp_path: Path) -> None:
    writing.leave(tmp_path / "none", ledger())
    assert reading.read(tmp_path / "none") is None
