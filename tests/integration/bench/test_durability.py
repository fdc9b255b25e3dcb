"""Durability of a target's database: what takes it from an acknowledged write is found, whoever has set it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.ends.errors import RunFailed
from bench.oracle.database import closed
from bench.platforms.postgres.cluster import Cluster
from bench.preflight.durability import require_durable
from tests.cluster import Cluster as Unsynced

NOTHING = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server as a target gets it."""
    with Cluster.throwaway("durable") as made:
        yield made


@pytest.fixture
def database(server: Cluster) -> Iterator[str]:
    """A database of its own, without what a test has planted for all."""
    server.create_database("mine")
    yield "mine"
    server.execute("ALTER ROLE tidemark RESET ALL")
    server.execute("DROP DATABASE mine WITH (FORCE)")


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("ALTER DATABASE mine SET synchronous_commit = off", "database mine has synchronous_commit=off"),
        ("ALTER ROLE tidemark SET synchronous_commit = local", "role tidemark has synchronous_commit=local"),
        (f"{NOTHING} SET synchronous_commit = off", "function f has synchronous_commit=off"),
        ("CREATE UNLOGGED TABLE todos (id int)", "table todos is unlogged"),
    ],
)
def test_what_takes_durability_from_a_write_is_found(server: Cluster, database: str, planted: str, said: str) -> None:
    url = closed(server.url(database))
    require_durable(url, "mine")
    server.execute(planted, database)
    with pytest.raises(RunFailed, match=r"^mine is not as durable as the server that it was given: ") as refusal:
        require_durable(url, "mine")
    assert said in str(refusal.value)


def test_a_server_that_does_not_sync_is_found(cluster: Unsynced) -> None:
    with pytest.raises(RunFailed, match=r"fsync is off; .*synchronous_commit is off"):
        require_durable(closed(cluster.create(migrated=False)), "mine")


def test_one_that_can_not_be_asked_ends_the_run_without_a_secret(server: Cluster) -> None:
    with pytest.raises(RunFailed, match=r"the durability of mine could not be checked") as refusal:
        require_durable(closed(server.url("nowhere")), "mine")
    assert server.password not in str(refusal.value)
