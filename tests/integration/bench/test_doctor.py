"""What the doctor says of a database: as the process that a run starts, and as the bench reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from bench.answers.doctor.table import show
from bench.ends.errors import SetupError
from bench.platforms.postgres.cluster import free_port
from bench.platforms.preparation import examined
from bench.preflight.examination import Doctor, examine
from bench.preflight.settings import Settings
from bench.report.progress import Lines
from settings.children import PYTHON
from tests.cluster import Cluster, as_role


def asked(url: str, *arguments: str, **variables: str) -> Doctor:
    return examine(PYTHON.environment({"DATABASE_URL": url, **variables}), *arguments)


def facts(doctor: Doctor) -> dict[str, tuple[str, str]]:
    """By name: state and value."""
    return {fact.name: (fact.state, fact.value) for fact in doctor.document.facts}


def sound(doctor: Doctor) -> dict[str, bool]:
    return {one.name: one.sound for one in doctor.document.strategies}


ALL = {"global-order": True, "stream-leases": True, "stream-locks": True}
NONE = dict.fromkeys(ALL, False)


def test_a_server_that_does_not_sync_works_with_warnings(cluster: Cluster) -> None:
    found = asked(cluster.create())
    assert (found.code, sound(found)) == (1, ALL)
    told = facts(found)
    assert {name for name, (state, _) in told.items() if state != "fine"} == {
        "fsync",
        "synchronous_commit",
        "full_page_writes",
    }
    assert (told["server"][1], told["pooler"][1], told["LISTEN/NOTIFY"][1]) == ("primary", "none", "heard")
    assert told["advisory locks in pg_locks"][1] == "seen"
    assert any(warning.startswith("fsync: off (a crash can lose") for warning in found.warnings)


def read_only(cluster: Cluster) -> str:
    url = cluster.create()
    cluster.server.execute(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET default_transaction_read_only = on')
    return url


def nothing_listens(cluster: Cluster) -> str:
    return f"postgresql://tidemark:s3cret@127.0.0.1:{free_port()}/db"


def not_migrated(cluster: Cluster) -> str:
    return cluster.create(migrated=False)


def without_rights(cluster: Cluster) -> str:
    return as_role("oracle", cluster.create())


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (read_only, "read-only"),
        (nothing_listens, "can not be reached"),
        (not_migrated, "the store is not migrated (run `python -m migrations upgrade`)"),
        (without_rights, "the role tidemark_oracle lacks INSERT (stream, version, type, data) on events"),
    ],
)
def test_where_nothing_can_be_measured(cluster: Cluster, place: Callable[[Cluster], str], says: str) -> None:
    found = asked(place(cluster))
    assert (found.code, sound(found)) == (2, NONE)
    assert says in json.dumps(found.document.to_dict(), ensure_ascii=False)
    assert "s3cret" not in json.dumps(found.document.to_dict())


def test_a_reader_is_not_asked_for_rights_to_write(cluster: Cluster) -> None:
    assert sound(asked(without_rights(cluster), "--reader")) == ALL


def test_what_only_the_global_order_rests_on(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strategies of the other mode are sound, and a run is refused all the same: the API would take no write."""
    url = cluster.create()
    cluster.server.execute("ALTER SEQUENCE events_position_seq CACHE 20", url.rpartition("/")[2])
    found = asked(url)
    assert (found.code, sound(found)) == (1, {**ALL, "global-order": False})

    def run(mode: str) -> Doctor:
        settings = Settings.from_env({"DATABASE_URL": url, "SERIAL_PROJECTION": str(mode == "serial").lower()})
        return examined(settings, [url], Lines(Console(quiet=True)))

    with pytest.raises(SetupError, match=r"strategy global-order is not sound there: .* CACHE 20"):
        run("serial")
    with pytest.raises(SetupError, match=r"writes through the API are refused: .* CACHE 20"):
        run("parallel")


def test_time_limits_and_isolation_are_warnings(cluster: Cluster) -> None:
    url = cluster.create()
    for setting in ("statement_timeout = '250ms'", "default_transaction_isolation = 'serializable'"):
        cluster.server.execute(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET {setting}')
    told = facts(asked(url))
    assert told["time limits"] == ("warning", "statement_timeout 250ms")
    assert told["isolation"] == ("warning", "serializable")


def test_the_table_has_every_fact_and_strategy(cluster: Cluster, tmp_path: Path) -> None:
    found = asked(cluster.create())
    with (tmp_path / "shown").open("w") as file:
        show(Console(file=file, width=200), found.document)
    shown = (tmp_path / "shown").read_text()
    names = [*(fact.name for fact in found.document.facts), *(one.name for one in found.document.strategies)]
    assert [name for name in names if name not in shown] == []
    assert "works, with warnings that a result carries" in shown
