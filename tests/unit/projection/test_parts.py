"""What a batch is made of with no read model, with one, and with two."""

from __future__ import annotations

from dataclasses import replace

from projection.read_model import Invariant, ReadModel, Undo
from projection.statement.batch import compose
from projection.statement.parts import Parts
from projection.statement.shapes import GLOBAL_ORDER, STREAM_LEASES, STREAM_LOCKS

ROWS = ReadModel(
    name="rows",
    tables=(),
    read={},
    project={},
    undo=Undo(statements=""),
    refusal="CASE WHEN e.type = 'bad' THEN 'bad' END",
    fold="max(version) AS rows_last",
    newest="e.data AS rows_data",
    effect="rows_moved AS (SELECT stream FROM clean)",
    invariant=Invariant(holds="rows_last > 0", broken_at="rows_last + 1", reason="rows end"),
    applied="rows_moved",
    unapplied="a row was not there",
)
COUNTS = replace(
    ROWS,
    name="counts",
    refusal="CASE WHEN e.type = 'odd' THEN 'odd' END",
    fold="",
    newest="",
    effect="counts_made AS (SELECT count(*) FROM clean)",
    invariant=Invariant(holds="first > 0", broken_at="first", reason="counts end"),
    applied="",
)


def test_one_read_model_is_taken_as_it_is() -> None:
    parts = Parts(fence="true").keeping([ROWS])
    assert (parts.refusal, parts.fold, parts.newest, parts.effect) == (
        ROWS.refusal,
        ROWS.fold,
        ROWS.newest,
        ROWS.effect,
    )
    assert (parts.consistent, parts.broken_at, parts.broken_why) == ("rows_last > 0", "rows_last + 1", "'rows end'")
    assert "FROM rows_moved) <> (SELECT count(*) FROM clean)" in parts.unapplied
    assert "refuse('a row was not there')" in parts.unapplied


def test_two_read_models_are_joined() -> None:
    parts = Parts(fence="true").keeping([ROWS, COUNTS])
    assert parts.refusal == f"coalesce({ROWS.refusal}, {COUNTS.refusal}, NULL::text)"
    assert parts.effect == f"{ROWS.effect},{COUNTS.effect}"
    assert parts.consistent == "rows_last > 0 AND first > 0"
    assert parts.broken_at == "CASE WHEN NOT (rows_last > 0) THEN rows_last + 1 WHEN NOT (first > 0) THEN first END"
    assert (
        parts.broken_why == "CASE WHEN NOT (rows_last > 0) THEN 'rows end' WHEN NOT (first > 0) THEN 'counts end' END"
    )
    assert parts.unapplied.count("refuse(") == 1


def test_a_batch_may_keep_no_read_model() -> None:
    for shape in (GLOBAL_ORDER, STREAM_LEASES, STREAM_LOCKS):
        sql = compose(shape, shape.parts.keeping([])).sql
        assert "refuse(" not in sql
        assert ",," not in sql.replace(" ", "").replace("\n", "")
