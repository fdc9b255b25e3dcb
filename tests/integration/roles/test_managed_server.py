"""As on a managed server: nobody here is a superuser, and no role of ours is there before."""

from __future__ import annotations

from collections.abc import Iterator

import asyncpg
import pytest

from bench.platforms.postgres.cluster import Cluster
from eventstore.connection.planner import ROLES
from migrations.__main__ import migrate
from migrations.roles.apply import NotAllowed, apply
from tests.cluster import PASSWORD, as_role


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A server of its own, because roles are the server's."""
    with Cluster.throwaway("test") as server:
        yield server


async def owned(server: Cluster, name: str, power: str) -> str:
    """A migrated database whose owner has that power and no other; its address for that owner."""
    server.execute(f"CREATE ROLE {name} LOGIN {power} PASSWORD '{PASSWORD}'")
    server.execute(f"CREATE DATABASE {name} OWNER {name}")
    url = f"postgresql://{name}:{PASSWORD}@127.0.0.1:{server.port}/{name}"
    await migrate(url)
    return url


async def test_an_owner_who_may_not_create_roles_is_told_so(server: Cluster) -> None:
    url = await owned(server, "plain", "NOCREATEROLE")
    with pytest.raises(NotAllowed, match=r"^'plain' lacks CREATEROLE .*`python -m migrations roles --sql` prints$"):
        await apply(url, {})


async def test_an_owner_who_may_create_roles_needs_no_superuser(server: Cluster) -> None:
    url = await owned(server, "managed", "CREATEROLE")
    assert await apply(url, {}) == []
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(as_role("api", url))
    assert await apply(url, dict.fromkeys(ROLES, PASSWORD)) == sorted(ROLES)
    assert await apply(url, {}) == sorted(ROLES)
    connection = await asyncpg.connect(as_role("api", url))
    assert await connection.fetchval("SHOW plan_cache_mode") == "force_generic_plan"
    await connection.execute("INSERT INTO events (stream, version, type, data) VALUES ('s', 1, 'A', '{}')")
    await connection.close()
