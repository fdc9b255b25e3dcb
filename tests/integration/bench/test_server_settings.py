"""What a result says of the server that it was measured on."""

from __future__ import annotations

from bench.preflight.description import durable, postgres
from tests.cluster import Cluster


async def test_a_server_tells_its_settings_without_secrets_and_paths(cluster: Cluster) -> None:
    async with cluster.database(migrated=False) as url:
        cluster.server.execute("ALTER SYSTEM SET primary_conninfo = 'host=x password=secret'")
        cluster.server.execute("ALTER SYSTEM SET archive_command = 'curl http://me:secret@backup/%f'")
        cluster.server.execute("SELECT pg_reload_conf()")
        try:
            found = await postgres(url, source="here", profile="test")
        finally:
            cluster.server.execute("ALTER SYSTEM RESET ALL")
            cluster.server.execute("SELECT pg_reload_conf()")
    assert found["version"].startswith("1")
    assert (found["source"], found["profile"]) == ("here", "test")
    assert (found["settings"]["fsync"], durable(found)) == ("off", False)
    assert "secret" not in str(found)
    assert str(cluster.server.folder) not in str(found)
