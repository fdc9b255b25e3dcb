"""A run on several shards of a cluster: as many as SHARDS says, each reached by the oracle, or refused by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from bench.bundle.folder import Bundle
from bench.ends.errors import SetupError
from bench.platforms import choice, http_client
from bench.platforms.kubernetes import addresses, scale, system
from bench.platforms.kubernetes.addresses import Forwards, places
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.platform import LacksShards
from bench.platforms.processes import Process, Processes
from bench.preflight.settings import Settings
from bench.report.progress import Lines
from metrics.records.surroundings import Postgres
from tests.fakes.kubectl import FakeKubectl
from tests.kubernetes.manifests import find
from tests.kubernetes.rendering import SHARDED, rendered

RUN = {"PLATFORM": "kubernetes", "PROJECTORS": "2", "LOADGEN_WORKERS": "0"}


class Started(Processes):
    """Keeps what would be started."""

    def __init__(self) -> None:
        self.lines: list[Sequence[str]] = []

    def start(self, name: str, command: Sequence[str], *_: Any, **__: Any) -> Process:
        self.lines.append([name, *command])
        return Process(name, cast(Any, None), Path("/nonexistent"))


@pytest.fixture
def two(kubectl: FakeKubectl) -> FakeKubectl:
    """A cluster whose ConfigMap is that of the manifests."""
    config = find(rendered(SHARDED), "ConfigMap", "database")
    kubectl.answer("get configmap database", json.dumps(config))
    kubectl.answer("create --dry-run=client", "\n".join(map(json.dumps, rendered("overlays/load"))))
    return kubectl


def test_shards_are_found_in_their_order_and_no_further_than_they_follow() -> None:
    assert places({"at-1": "b", "pooled": "p", "at": "a", "at-3": "d"}) == ["a", "b"]
    assert places({"at-1": "b"}) == []


def test_the_oracle_reaches_each_store_by_a_port_of_its_own(two: FakeKubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "answers", lambda _: True)
    started = Started()
    found = Forwards(Kubectl("tidemark"), started).databases(None)
    names = [line[0] for line in started.lines]
    services = [line[4] for line in started.lines]
    assert names == ["forward-postgres", "forward-postgres-1"]
    assert services == ["service/tidemark-db-rw", "service/tidemark-db-shard-1-rw"]
    ports = [line[5] for line in started.lines]
    assert found == [f"postgresql://tidemark_oracle:looks@127.0.0.1:{p}/tidemark?sslmode=require" for p in ports]


def test_a_cluster_that_does_not_say_where_its_store_is(kubectl: FakeKubectl) -> None:
    kubectl.answer("get configmap database", "")
    with pytest.raises(SetupError, match=r"^DATABASE_URL: the namespace has no ConfigMap database"):
        Forwards(Kubectl("tidemark"), Started()).databases(None)
    scale.require_shards(Kubectl("tidemark"), 1)


@pytest.mark.parametrize(("shards", "kind"), [("1", SetupError), ("3", LacksShards)])
def test_another_number_is_refused_before_anything_is_set(
    two: FakeKubectl, tmp_path: Path, shards: str, kind: type[Exception]
) -> None:
    settings = Settings.from_env({**RUN, "SHARDS": shards})
    with (
        pytest.raises(
            SetupError, match=f"^SHARDS: is {shards}, and the store of the cluster is of 2; set SHARDS=2"
        ) as no,
        choice.running_system(settings, tmp_path, Lines(Console())),
    ):
        pytest.fail("it runs")
    assert type(no.value) is kind
    assert not [call for call in two.calls if "set env" in call or "scale" in call.split()]


def test_a_run_has_the_logins_of_each_shard(two: FakeKubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API and servers are played: what is asked of a server is kept."""
    asked: dict[str, list[str]] = {"examined": [], "walked": []}
    monkeypatch.setattr(addresses, "answers", lambda _: True)
    monkeypatch.setattr(http_client, "ready", lambda _: True)
    monkeypatch.setattr(http_client, "settle", lambda *_: None)
    monkeypatch.setattr(system, "reach", lambda *_, **__: cast(Postgres, None))
    monkeypatch.setattr(system, "examined_as_reader", lambda _, *urls: asked["examined"].extend(urls))
    monkeypatch.setattr(system, "catch_up", asked["walked"].append)
    settings = Settings.from_env({**RUN, "SHARDS": "2", "SERIAL_PROJECTION": "true"})
    assert "events" not in settings.target.capabilities
    bundle = Bundle.create(tmp_path / "r", "throughput", "serial")
    with choice.running_system(settings, bundle.log, Lines(Console())) as running:
        oracles = [logins.oracle for logins in running.shards]
        assert len(set(oracles)) == 2
        assert asked == {"examined": oracles, "walked": oracles}
    bundle.close()
