"""OpenTelemetry by the standard variables: spans of requests and batches arrive; off means not even imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.platforms.postgres.cluster import free_port
from services import telemetry
from settings import SettingError
from tests.cluster import Cluster, as_role
from tests.integration.api.server import ROOT, api_environment, serve, until
from tests.integration.stack.collector import collect

TRACE = "0af7651916cd43dd8448eb211c80319c"
ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


def test_spans_of_a_request_and_of_its_projection_arrive(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create()
    with collect() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with serve(url, tmp_path, **variables) as api:
            answer = api.client.post(
                "/todos",
                json={"text": "milk"},
                headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "X-Request-Id": "mine"},
            )
            assert answer.status_code == 201
            until(lambda: collector.named("POST /todos") != [], "the span of the request, while the API runs")
            api.client.get("/livez")
            api.client.get(f"/todos/{answer.json()['stream']}")
        assert project(url, variables) == 0
    (create,) = collector.named("POST /todos")
    assert create.service == "tidemark-api"
    assert create.trace_id == TRACE
    assert create.attributes["request.id"] == "mine"
    # Sent at the end at the latest: nothing is lost when a process stops in order.
    (read,) = collector.named("GET /todos/{stream}")
    assert read.trace_id != TRACE
    (batch,) = collector.named("projection batch")
    assert batch.service == "tidemark-projector"
    assert batch.attributes["projection.events"] == 1
    assert batch.attributes["projector.mode"] == "parallel"
    assert batch.seconds > 0
    assert len(collector.spans) == 3


def project(url: str, variables: dict[str, str]) -> int:
    """Run one projector to the end; its exit code."""
    command = [sys.executable, "-m", "services.projector", "--once"]
    return subprocess.run(
        command, cwd=ROOT, env=api_environment(as_role("projector", url), 1, **variables), check=False
    ).returncode


def test_a_dead_collector_disturbs_nobody(cluster: Cluster, tmp_path: Path) -> None:
    url, variables = cluster.create(), {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
    with serve(url, tmp_path, **variables) as api:
        api.create()
        assert project(url, variables) == 0
        assert api.stop() == 0


@pytest.mark.parametrize(
    "module", ["services.api.__main__", "services.api.asgi", "services.projector.__main__", "services.telemetry"]
)
def test_off_means_not_imported(module: str) -> None:
    code = f"import {module}, sys; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_what_turns_it_on_and_off() -> None:
    assert not telemetry.wanted({})
    assert telemetry.start({}, "api") is None
    assert telemetry.wanted(ON)
    assert not telemetry.wanted({**ON, "OTEL_SDK_DISABLED": "true"})
    assert not telemetry.wanted({**ON, "OTEL_TRACES_EXPORTER": "none"})


def test_a_protocol_that_is_not_spoken_is_named() -> None:
    with pytest.raises(SettingError, match="OTEL_EXPORTER_OTLP_PROTOCOL='grpc'"):
        telemetry.wanted({**ON, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match="extra `otel`"):
        telemetry.wanted(ON)


def test_a_bad_setting_ends_the_service_at_once(cluster: Cluster) -> None:
    variables = {**ON, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert project(cluster.create(), variables) == 2
