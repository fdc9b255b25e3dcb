"""What of libpq's variables acts on an address: nothing on our own, on a given one what it leaves out."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from bench.ends.errors import SetupError
from bench.oracle.database import ambient, closed, connect
from bench.platforms.preparation import environment, reach
from bench.preflight.settings import Settings
from settings.children import LIBPQ
from tests.cluster import Cluster

HOSTILE = {
    **{"PGHOST": "10.255.255.1", "PGPORT": "1", "PGUSER": "nobody", "PGPASSWORD": "no", "PGDATABASE": "no"},
    **{"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "/nonexistent", "PGSSLNEGOTIATION": "direct", "PGSERVICE": "no"},
    **{"PGTARGETSESSIONATTRS": "standby", "PGGSSLIB": "no", "PGPASSFILE": "/nonexistent", "PGOPTIONS": "-c a=b"},
}


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with libpq's variables for another server."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("hostile")
def test_our_own_server_is_reached_whatever_libpq_is_told(cluster: Cluster) -> None:
    async def answer() -> int:
        connection = await connect(closed(cluster.server.url()))
        try:
            return int(await connection.fetchval("SELECT 1"))
        finally:
            await connection.close()

    assert asyncio.run(answer()) == 1
    assert ambient(closed(cluster.server.url())) == {}


@pytest.mark.parametrize(
    ("url", "acting"),
    [
        ("postgresql://me:pw@db:5432/x", {"PGSSLMODE", "PGTARGETSESSIONATTRS"}),
        ("postgresql://me@db:5432/x", {"PGSSLMODE", "PGTARGETSESSIONATTRS", "PGPASSWORD", "PGPASSFILE"}),
        ("postgresql:///x", {"PGSSLMODE", "PGTARGETSESSIONATTRS", "PGPASSWORD", "PGPASSFILE", "PGHOST", "PGPORT",
                             "PGUSER"}),
        ("postgresql://me:pw@db:5432/x?sslmode=require&target_session_attrs=any", set()),
    ],
)  # fmt: skip
def test_what_a_given_address_leaves_out_is_told(url: str, acting: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LIBPQ:
        monkeypatch.delenv(name, raising=False)
    assert ambient(url) == {}
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGPASSFILE"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("PGSSLMODE", "prefer")
    monkeypatch.setenv("PGTARGETSESSIONATTRS", "any")
    found = ambient(url)
    assert set(found) == acting
    assert "secret" not in str(found)
    assert found.get("PGSSLMODE", "prefer") == "prefer"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PGSSLMODE", "require"),
        ("PGTARGETSESSIONATTRS", "standby"),
        ("PGSSLMODE", "nonsense"),
        ("PGGSSLIB", "nonsense"),
    ],
)
def test_a_given_server_that_is_not_reached_because_of_them_names_them(
    name: str, value: str, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(
        SetupError, match=rf"^DATABASE_URL: .* can not be reached \(.*; {name} of the environment acted\)"
    ):
        reach(cluster.server.url(), source="DATABASE_URL", profile="given")


def test_a_password_of_the_environment_opens_a_given_server(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = cluster.server.url().replace(f":{cluster.server.password}@", "@")
    for name in LIBPQ:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupError):
        reach(bare, source="DATABASE_URL", profile="given")
    monkeypatch.setenv("PGPASSWORD", cluster.server.password)
    described = reach(bare, source="DATABASE_URL", profile="given")
    assert described["environment"] == {"PGPASSWORD": "set"}
    assert described["tls"] is False


def test_connect_raises_the_drivers_errors(cluster: Cluster) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(connect(closed(cluster.server.url("nothing"))))


def test_the_services_reach_a_given_server_as_the_bench_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/secrets/pgpass")
    monkeypatch.setenv("PGOPTIONS", "-c a=b")
    given = environment(Settings.from_env({"DATABASE_URL": "postgresql://me@127.0.0.1/d"}))
    assert given["PGPASSFILE"] == "/secrets/pgpass"
    assert "PGOPTIONS" not in given
    assert "PGPASSFILE" not in environment(Settings.from_env({}))


def test_no_service_of_the_store_is_given_the_load_generators_secrets() -> None:
    told = {"INFLUX_URL": "http://127.0.0.1:8086", "INFLUX_TOKEN": "t", "INFLUX_ORG": "o", "INFLUX_BUCKET": "b"}
    settings = Settings.from_env({**told, "POLL_MS": "50", "VUS": "7"})
    given = environment(settings, BASE_URL="http://127.0.0.1:8000")
    assert not {*told, "VUS"} & given.keys()
    assert (given["POLL_MS"], given["BASE_URL"]) == ("50", "http://127.0.0.1:8000")
    # It is the load generator that writes there.
    assert settings.environment()["INFLUX_TOKEN"] == "t"
