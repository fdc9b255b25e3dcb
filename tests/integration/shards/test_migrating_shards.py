"""One command for all shards: gone on with where it was stopped, and refused where a store has another place."""

from __future__ import annotations

import asyncpg
import pytest

from eventstore.shards.hash_slots import Place, table
from migrations.__main__ import main, migrate, migrate_all
from migrations.placing import Misplaced, Store, apart
from migrations.turn import turn
from tests.cluster import Cluster


async def kept(url: str) -> list[tuple[int, list[int]]]:
    connection = await asyncpg.connect(url)
    try:
        return [(row["number"], row["hash_slots"]) for row in await connection.fetch("SELECT * FROM shard")]
    finally:
        await connection.close()


async def test_every_store_keeps_its_place(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as first, cluster.database(migrated=False) as second:
        # As where it was stopped between the two.
        await migrate(first, place=Place(0, 2))
        await migrate_all([first, second], "upgrade", "head")
        await migrate_all([first, second], "upgrade", "head")
        assert await kept(first) == [(0, list(table(2)))]
        assert await kept(second) == [(1, list(table(2)))]


async def test_nothing_is_done_where_one_has_another_place(cluster: Cluster) -> None:
    async with cluster.database() as whole, cluster.database(migrated=False) as fresh:
        with pytest.raises(Misplaced, match="the store is shard 0 of 1, and is reached as shard 1 of 2"):
            await migrate_all([fresh, whole], "upgrade", "head")
        connection = await asyncpg.connect(fresh)
        assert await connection.fetchval("SELECT to_regclass('events')") is None
        await connection.close()


async def test_one_store_under_two_addresses_is_refused_before_anything_is_written(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        spelled = url.replace("127.0.0.1", "localhost")
        assert spelled != url
        with pytest.raises(Misplaced, match="shard 0 of 2 and shard 1 of 2 are one store under two addresses"):
            await migrate_all([url, spelled], "upgrade", "head")
        connection = await asyncpg.connect(url)
        assert (
            await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0
        )
        await connection.close()


async def test_two_schemas_of_a_database_are_two_stores(cluster: Cluster) -> None:
    seen: dict[Store, Place] = {}
    async with cluster.database(migrated=False) as url:
        cluster.server.execute("CREATE SCHEMA ours", url.rpartition("/")[2])
        for number, address in enumerate((url, f"{url}?options=-csearch_path%3Dours")):
            async with turn(address) as connection:
                await connection.run_sync(apart, Place(number, 2), seen)
    assert list(seen.values()) == [Place(0, 2), Place(1, 2)]


async def test_a_store_with_events_becomes_no_shard_among_several(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, "upgrade", "0010")
        connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')")
        await connection.close()
        with pytest.raises(Misplaced, match="it has events already"):
            await migrate(url, place=Place(0, 2))
        await migrate(url)
        assert await kept(url) == [(0, [0] * 256)]


async def test_one_of_several_is_not_taken_back_before_there_were_shards(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        await migrate(url, place=Place(1, 2))
        with pytest.raises(Exception, match="one of several shards"):
            await migrate(url, "downgrade", "0010", Place(1, 2))
        assert await kept(url) == [(1, list(table(2)))]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"DATABASE_URLS": "postgresql://u:secret@h/d postgresql://u:secret@h/d"}, "none of them twice"),
        ({"DATABASE_URLS": "postgresql://u:secret@h/d nonsense-secret"}, "as address 1"),
        (
            {
                "DATABASE_URLS": "postgresql://u:secret@h/a postgresql://u:secret@h/b",
                "DATABASE_URL": "postgresql://c/d",
            },
            "no value beside DATABASE_URLS",
        ),
    ],
)
def test_addresses_that_can_not_be_used_are_named(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["migrations", "upgrade"])
    assert main() == 2
    told = capsys.readouterr().err
    assert words in told
    assert "secret" not in told
