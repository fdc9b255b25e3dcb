"""A scenario of one's own: one file in any folder is a run, and what is wrong in it is refused before any work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from settings.scenarios import reader
from tests.acceptance.bench_process import ROOT, bench
from tests.cluster import Cluster

OWN = """\
description = "Sequences of one half of the users, then mostly reads of all"
phases = [
  {name = "warmup", mix = "walk", users = 0.5},
  {name = "load", mix = "walk", users = 0.5},
  {name = "warmup", seconds = 1, mix = "look"},
  {name = "load", weight = 2, mix = "look", writers = 0.2},
]

[settings]
VUS = 20
DURATION = "3s"
WARMUP = "1s"
WRITE_RATIO = 0.8
PROJECTORS = 2
LOADGEN_WORKERS = 2
HOLD = "1s"

[mixes.walk]
sequence = ["create", "update", "update", "delete"]
reads = {stats = 1}

[mixes.look]
writes = {create = 1, update = 3}
reads = {one = 3, list = 1}
"""


async def test_a_scenario_from_a_folder_of_its_own_runs_to_a_proved_result(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "walk-and-look.toml"
    path.write_text(OWN)
    async with bench("run", str(path), DATABASE_URL=cluster.create(migrated=False)) as ran:
        await ran.ended()
        assert ran.code == 0, ran.said
        result = json.loads((ran.bundle / "result.json").read_text())
        loadgen = json.loads((ran.bundle / "loadgen.json").read_text())
        kept = (ran.bundle / "scenario.toml").read_text()
    assert (result["verdict"], result["scenario"]) == ("converged", "walk-and-look")
    correctness = result["correctness"]
    assert [correctness[name] for name in ("lost", "duplicated", "reordered", "acknowledged_missing")] == [0] * 4
    assert correctness["events_checked"] >= correctness["acknowledged_checked"] > 100
    assert result["settings"]["SCENARIO_TEXT"] == reader.load(str(path)).digest
    assert (result["settings"]["PROJECTORS"], result["settings"]["LOADGEN_WORKERS"]) == (2, 2)
    assert [(stage["mix"], stage["users"]) for stage in loadgen["stages"]] == [("walk", 10), ("look", 20)]
    assert [round(stage["seconds"]) for stage in loadgen["stages"]] == [1, 2]
    assert loadgen["acknowledged"]["updates"] > loadgen["acknowledged"]["creates"] * 0.5
    assert kept == OWN
    # Two projectors stood still, and users of two processes went on.
    assert result["convergence"]["held_s"] >= 1
    assert result["convergence"]["events"] > 0
    assert result["convergence"]["speed_events_per_s"] > 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("weight = 2", "wait = 2", "$.phases[3]: Object contains unknown field `wait`; correct the file"),
        ('"load", mix', '"attack", mix', "$.phases[1].name: Invalid value 'attack'; correct the file"),
        ('users = 0.5},\n  {name = "load"', 'readers = 1},\n  {name = "load"', "unknown field `readers`; correct"),
        ('"look"},', '"stroll"},', "$.phases[2].mix: there is no mix 'stroll'; name one of walk, look, or add it"),
    ],
)
def test_what_is_unknown_is_refused_before_any_work(before: str, after: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OWN.replace(before, after, 1))
    for line, variables in (
        ([sys.executable, "-m", "bench", "run", str(path), "--results", str(tmp_path / "results")], {}),
        ([sys.executable, "-m", "services.loadgen"], {"SCENARIO": str(path), "RESULTS_DIR": str(tmp_path / "results")}),
    ):
        done = subprocess.run(
            line, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        (said,) = done.stderr.splitlines()
        assert f"{path}: " in said
        assert told in said
    assert not (tmp_path / "results").exists()


def test_the_list_names_every_scenario_with_its_description() -> None:
    line = [sys.executable, "-m", "bench", "run", "--list"]
    done = subprocess.run(line, cwd=ROOT, env={"COLUMNS": "200"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for name in reader.names():
        scenario = reader.load(name)
        assert any(row.startswith(f"{name} ") and scenario.description in row for row in done.stdout.splitlines())
