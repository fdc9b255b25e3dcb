"""The stack's pooler: a real PgBouncer takes what compose.yaml tells it, and each role gets through in either mode."""

from __future__ import annotations

import re
from typing import Final, Literal

import asyncpg
import pytest

from bench.platforms.postgres.cluster import USER
from eventstore.connection import pooler
from tests.architecture.containers import services
from tests.cluster import Cluster, as_role
from tests.pgbouncer import by

TOLD: Final[dict[str, str]] = services()["pooler"]["environment"]
ITS_OWN: Final = ("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD")
"""Of these its image makes where the server is, and who looks up the others; of all else a setting of that name."""


def ini(server: int, mode: str) -> str:
    """What the image makes of its environment, on this machine."""
    settings = {name.lower(): value for name, value in TOLD.items() if name not in ITS_OWN}
    settings["pool_mode"] = re.sub(r"\$\{STACK_POOLER:-\}", mode, settings["pool_mode"])
    lines = [f"* = host=127.0.0.1 port={server} auth_user={TOLD['DB_USER']}", "[pgbouncer]", "listen_addr = 127.0.0.1"]
    lines += [
        "listen_port = {port}",
        "unix_socket_dir =",
        "auth_file = {users}",
        "ignore_startup_parameters = extra_float_digits",
    ]
    return "\n".join(["[databases]", *lines, *(f"{name} = {value}" for name, value in settings.items()), ""])


async def mode_of(url: str) -> str:
    return await pooler.find(lambda: asyncpg.connect(url, statement_cache_size=0))


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_each_role_gets_through_in_the_mode_that_was_asked_for(
    cluster: Cluster, mode: Literal["session", "transaction"]
) -> None:
    assert TOLD["DB_USER"] == USER
    url = cluster.create()
    with by(cluster.server, ini(cluster.server.port, mode), {USER: cluster.server.password}) as bouncer:
        for role in ("api", "projector"):
            through = bouncer.url(as_role(role, url))
            connection = await asyncpg.connect(through, statement_cache_size=0)
            assert await connection.fetchval("SELECT current_user") == f"tidemark_{role}"
            await connection.close()
            assert await mode_of(through) == mode


async def test_a_password_that_is_wrong_is_refused(cluster: Cluster) -> None:
    url = cluster.create()
    with by(cluster.server, ini(cluster.server.port, "session"), {USER: cluster.server.password}) as bouncer:
        wrong = bouncer.url(as_role("api", url)).replace("of-a-role", "guessed")
        with pytest.raises(asyncpg.PostgresError):
            await asyncpg.connect(wrong)
