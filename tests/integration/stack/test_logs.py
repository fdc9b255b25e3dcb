"""Every service logs JSON lines; a request is named alike by who sends and who answers it, and the name has the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster import Cluster, as_role
from tests.integration.api.server import ROOT, api_environment, serve
from tests.integration.loadgen_process import SHORT

RUN = "20260101-000000-throughput-parallel-cafe"


def lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a log. Fails where one is no JSON object."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(isinstance(line, dict) and {"event", "level", "timestamp"} <= set(line) for line in found)
    return found


def test_one_run_in_three_logs(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create()
    with serve(url, tmp_path, LOG_LEVEL="debug") as api, (tmp_path / "projector").open("w") as log:
        projector = subprocess.Popen(
            [sys.executable, "-m", "services.projector"],
            cwd=ROOT,
            env=api_environment(as_role("projector", url), 1, RUN_ID=RUN),
            stderr=log,
        )
        with (tmp_path / "loadgen").open("w") as stream:
            kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            told = {"BASE_URL": str(api.client.base_url), "RESULTS_DIR": str(tmp_path / "results"), "RUN_ID": RUN}
            command = [sys.executable, "-m", "services.loadgen"]
            done = subprocess.run(
                command, cwd=ROOT, env={**kept, **SHORT, **told}, stdout=subprocess.PIPE, stderr=stream, check=False
            )
        projector.terminate()
        assert projector.wait(30) == 0
    assert done.returncode == 0, done.stdout
    projected = lines(tmp_path / "projector")
    assert {line["event"] for line in projected} >= {"projector started", "projector stopped"}
    assert all(line["service"] == "projector" and line["run_id"] == RUN for line in projected)
    generated = lines(tmp_path / "loadgen")
    assert [line["event"] for line in generated][::5] == ["run started", "run ended"]
    assert all(line["service"] == "loadgen" and line["run_id"] == RUN for line in generated)
    writes = [line for line in lines(api.log) if line["event"] == "request" and line["method"] == "DELETE"]
    assert writes
    assert all(line["service"] == "api" and line["request_id"].startswith(f"{RUN}:user-") for line in writes)
    assert len({line["request_id"] for line in writes}) == len(writes)
