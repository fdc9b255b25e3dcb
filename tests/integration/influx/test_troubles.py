"""InfluxDB refuses, is not there, or dies in the middle: the run ends as it would have, and says what was lost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from metrics.influx import ANSWER_WITHIN_S
from tests.fakes.todo_server import FakeTodoServer
from tests.integration.influx.engine import Engine
from tests.integration.loadgen_process import PATIENCE_S, Finished, finish, run, start, until_said

SHORT = {"VUS": "10", "DURATION": "3s", "WARMUP": "500ms", "THINK_TIME_MS": "50"}
NOWHERE = {"INFLUX_URL": "http://127.0.0.1:9"}


@dataclass(frozen=True)
class Troubled:
    """Runs by what happened to InfluxDB."""

    refused: Finished
    absent: Finished
    killed: Finished


@pytest.fixture(scope="module")
def troubled(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Troubled:
    """Three runs at once."""
    return asyncio.run(_run(engine, tmp_path_factory.mktemp("troubled")))


async def _run(engine: Engine, folder: Path) -> Troubled:
    refused, absent, killed = await asyncio.gather(
        _loadgen(folder / "refused", {**engine.settings, "INFLUX_TOKEN": "another"}),
        _loadgen(folder / "absent", {**engine.settings, **NOWHERE}),
        _killed(folder),
    )
    return Troubled(refused, absent, killed)


async def _loadgen(folder: Path, influx: dict[str, str]) -> Finished:
    async with FakeTodoServer() as server:
        return await run(server, folder, **SHORT, **influx)


async def _killed(folder: Path) -> Finished:
    results, data = folder / "killed", folder / "data"
    data.mkdir()
    with Engine.throwaway(data) as doomed:
        async with FakeTodoServer() as server:
            process = await start(server.base_url, results, **SHORT, **doomed.settings)
            said = await until_said(process, "load ")
            await asyncio.to_thread(_kill_in_the_middle, doomed)
            finished = await finish(process, results)
            return Finished(finished.code, said + finished.said, results)


def _kill_in_the_middle(doomed: Engine) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not doomed.query('SELECT * FROM "load"'):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    doomed.kill()


@pytest.mark.parametrize("trouble", ["refused", "absent", "killed"])
def test_the_verdict_is_the_same_and_the_losses_are_counted(trouble: str, troubled: Troubled) -> None:
    found: Finished = getattr(troubled, trouble)
    assert (found.code, found.document["verdict"], found.document["why"]) == (0, "converged", "")
    told = found.document["influx"]
    assert told["dropped"] > 0
    assert told["dropped"] == found.document["generator"]["dropped_points"]
    assert (told["written"] > 0) == (trouble == "killed")
    assert f"{told['dropped']} dropped" in found.said
    # The bundle has what InfluxDB lacks.
    assert len(found.samples) > 2


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        ("refused", "refuses the token: correct INFLUX_TOKEN"),
        ("absent", "gives no answer (Connection refused): start it, correct INFLUX_URL, or unset it"),
        ("killed", "): start it, correct INFLUX_URL, or unset it"),
    ],
)
def test_the_trouble_is_told_in_one_line(trouble: str, line: str, troubled: Troubled) -> None:
    found: Finished = getattr(troubled, trouble)
    lines = [said for said in found.said.splitlines() if said.startswith("InfluxDB")]
    assert len(lines) == 1, found.said
    assert lines[0].endswith(line)
    assert "Traceback" not in found.said


def test_a_refused_token_is_told_before_the_load_and_shown_nowhere(troubled: Troubled) -> None:
    told = troubled.refused.said
    # The run itself waits for the first answer: the order is no matter of speed.
    assert told.index("InfluxDB") < told.index('"event": "phase"') < told.index("load ")
    assert "another" not in told
    assert [sample["dropped_points"] > 0 for sample in troubled.refused.samples][-1]


@pytest.mark.parametrize("trouble", ["refused", "absent", "killed"])
def test_the_end_waits_for_nobody(trouble: str, troubled: Troubled) -> None:
    found: Finished = getattr(troubled, trouble)
    # A dead server refuses at once: the wait that a silent one may cost is not spent.
    waited = (found.folder / "loadgen.json").stat().st_mtime - found.document["influx"]["ended_at"]
    assert waited < ANSWER_WITHIN_S


async def test_a_missing_setting_ends_at_once_with_its_name(tmp_path: Path) -> None:
    async with FakeTodoServer() as server:
        found = await run(server, tmp_path, **NOWHERE, INFLUX_TOKEN="x", INFLUX_ORG="x")
    assert found.code == 2
    (line,) = found.said.strip().splitlines()
    assert line.startswith("INFLUX_BUCKET=")
