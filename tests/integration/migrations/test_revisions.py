"""What a store of an older version has is kept by the steps up, and not guessed where nobody knows it."""

from __future__ import annotations

import asyncpg
import pytest

from migrations.__main__ import migrate
from tests.cluster import Cluster


async def test_what_was_skipped_before_is_known_by_the_audit(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0009")
        connection = await asyncpg.connect(url)
        await connection.execute("""
INSERT INTO streams (stream, version, projected, pending_since)
VALUES ('none', 3, 3, NULL), ('two', 5, 5, NULL), ('all', 2, 1, now()), ('new', 1, 0, now());
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ('none', 1, 2, 2, 'p', 1, now()), ('none', 3, 3, 3, 'p', 1, now()),
       ('two', 1, 1, 4, 'p', 1, now()), ('two', 3, 4, 7, 'p', 1, now())
""")
        await migrate(url)
        found = await connection.fetch("SELECT stream, skipped FROM streams ORDER BY stream")
        assert [tuple(row) for row in found] == [("all", [1]), ("new", None), ("none", None), ("two", [2, 5])]
        await migrate(url, "downgrade", "0009")
        await connection.close()


async def test_a_projector_of_an_older_version_keeps_its_row_and_is_said_no_strategy_of(cluster: Cluster) -> None:
    """Up, and down again: what it counted stays, and what it worked by is not guessed."""
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0003")
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO projectors (holder, mode, started_at, seen_at, alive_until, takeovers)"
            " VALUES ('old', 'parallel', now(), now(), now(), 7)"
        )
        await migrate(url)
        assert tuple(await connection.fetchrow("SELECT takeovers, strategy FROM projectors")) == (7, None)
        await migrate(url, "downgrade", "0003")
        assert dict(await connection.fetchrow("SELECT * FROM projectors"))["takeovers"] == 7
        await connection.close()


NOTHING_PROJECTED = "INSERT INTO streams (stream, version, pending_since) VALUES ('s', 1, now())"
PROJECTED = "INSERT INTO streams (stream, version, projected) VALUES ('s', 1, 1)"
CURSOR = "INSERT INTO cursors (name, position) VALUES ('todos', 1)"
MINUTE = "INSERT INTO activity VALUES (now(), 1, 1, 0, 0)"


@pytest.mark.parametrize(
    ("before", "recorded"),
    [
        ([NOTHING_PROJECTED], []),
        ([PROJECTED], [["todos"]]),
        ([NOTHING_PROJECTED, CURSOR], [["todos"]]),
        ([PROJECTED, MINUTE], [["todos", "activity"]]),
    ],
)
async def test_a_store_of_before_says_by_which_read_models_it_is_projected(
    cluster: Cluster, before: list[str], recorded: list[list[str]]
) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0006")
        connection = await asyncpg.connect(url)
        for statement in before:
            await connection.execute(statement)
        await migrate(url)
        assert [row["read_models"] for row in await connection.fetch("SELECT * FROM kept_read_models")] == recorded
        await connection.close()


OF_EACH_TODO = """
INSERT INTO todos (id, text, created_at, updated_at, version, deleted)
SELECT name, 'milk', now(), now(), 3, false FROM unnest('{whole,skipped,doubled,by hand}'::text[]) AS name;
INSERT INTO projection_audit (stream, from_version, to_version, last_position, projector, epoch, projected_at)
VALUES ('whole', 1, 2, 2, 'p', 1, now()), ('whole', 3, 3, 3, 'p', 1, now()),
       ('skipped', 1, 1, 4, 'p', 1, now()), ('skipped', 3, 3, 6, 'p', 1, now()),
       ('doubled', 1, 3, 9, 'p', 1, now()), ('doubled', 3, 3, 9, 'p', 1, now())
"""


async def test_of_rows_of_before_the_audit_says_how_many_events_took_effect(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0008")
        connection = await asyncpg.connect(url)
        await connection.execute(OF_EACH_TODO)
        await migrate(url)
        told = {row["id"]: row["applied"] for row in await connection.fetch("SELECT id, applied FROM todos")}
        assert told == {"whole": 3, "skipped": 2, "doubled": 4, "by hand": 3}
        await connection.close()
