"""The SQL that Postgres is asked is the SQL that was reviewed."""

from __future__ import annotations

from tests.plans.golden import FOLDER, all_statements, text_of

AGAIN = "what Postgres is asked has changed: look at it, then `task golden` (python -m tests.plans.golden)"


def test_every_statement_is_as_it_was_reviewed() -> None:
    reviewed = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.sql")}
    now = {name: text_of(statement) for name, statement in all_statements().items()}

    assert sorted(now) == sorted(reviewed), AGAIN
    for name, sql in now.items():
        assert sql == reviewed[name], AGAIN


def test_every_module_is_looked_at() -> None:
    found = {name.rpartition(".")[0] for name in all_statements()}
    assert {
        "eventstore.append.general",
        "projection.leases.streams",
        "projection.ordering.stream_leases",
        "todo.read_models.todos",
    } <= found
