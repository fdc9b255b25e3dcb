"""The doctor of two shards: each is examined and named, and so is an address that leads to another one's place."""

from __future__ import annotations

import pytest

from eventstore.connection.address import parse_url
from services.doctor.document import Examination
from services.doctor.examine import examine_all
from tests.cluster import Cluster, as_role

NOBODY = "postgresql://me:s3cret@127.0.0.1:1/db"


async def examined(*urls: str) -> Examination:
    return await examine_all([parse_url(url) for url in urls], None)


def told(found: Examination, fact: str) -> list[str]:
    return [one.value for one in found.facts if one.name == fact]


def sound(found: Examination) -> dict[str, bool]:
    return {one.name: one.sound for one in found.strategies}


ALL = {"global-order": True, "stream-leases": True, "stream-locks": True}
NONE = dict.fromkeys(ALL, False)


async def test_both_are_examined_and_named(urls: list[str]) -> None:
    found = await examined(*urls)
    assert sound(found) == ALL
    assert found.engines == ["PostgreSQL 18 (shard 0 of 2)", "PostgreSQL 18 (shard 1 of 2)"]
    for number in range(2):
        assert told(found, f"preconditions (shard {number} of 2)")[0].startswith("all hold")
        assert told(found, f"LISTEN/NOTIFY (shard {number} of 2)") == ["heard"]


async def test_a_read_only_one_is_named_and_makes_nothing_sound(cluster: Cluster, urls: list[str]) -> None:
    database = urls[1].rpartition("/")[2]
    cluster.server.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    try:
        found = await examined(*urls)
    finally:
        cluster.server.execute(f'ALTER DATABASE "{database}" RESET default_transaction_read_only')
    assert (sound(found), found.code) == (NONE, 2)
    assert "read-only sessions (shard 1 of 2)" in found.engines
    assert "read-only sessions (shard 0 of 2)" not in found.engines
    assert all(one.why.startswith("shard 1 of 2: ") for one in found.strategies)


@pytest.mark.parametrize("where", ["in another order", "one database twice"])
async def test_an_address_that_leads_to_another_place_is_named(urls: list[str], where: str) -> None:
    given = urls[::-1] if where == "in another order" else [urls[0], as_role("api", urls[0])]
    found = await examined(*given)
    assert sound(found) == NONE
    assert told(found, "shard (shard 1 of 2)") == ["the store is shard 0 of 2, and is reached as shard 1 of 2"]


async def test_one_that_does_not_answer_is_told_and_the_other_is_examined(urls: list[str]) -> None:
    found = await examined(urls[0], NOBODY)
    assert (sound(found), found.code) == (NONE, 2)
    (connection,) = (one for one in found.facts if one.name == "connection (shard 1 of 2)")
    assert connection.value.startswith("can not be reached")
    assert connection.note.endswith("correct DATABASE_URLS")
    assert told(found, "preconditions (shard 0 of 2)")[0].startswith("all hold")
    assert "s3cret" not in str(found)
