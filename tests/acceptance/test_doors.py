"""A scenario, a fault, a read model, a strategy and a target of a stranger: outside of the tree, run for real."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.acceptance.bench_process import ROOT, SHORT, Bench, bench
from tests.cluster import Cluster

PAGE: Final = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")

SERVICE: Final = f"""
import asyncio, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.fakes.target.server import main
asyncio.run(main())
"""
"""Any program that keeps the contract."""

DIFFERENT: Final = """
SELECT count(*) FROM (SELECT id, length(text) FROM todos WHERE NOT deleted) AS t (id, length)
  FULL JOIN lengths l USING (id) WHERE t.length IS DISTINCT FROM l.length
"""


def shown(title: str) -> str:
    """The file that the page shows under a title."""
    (section,) = [one for one in re.split(r"^## ", PAGE, flags=re.MULTILINE) if one.startswith(f"{title}\n")]
    return str(re.findall(r"^```\w+\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody keeps a package of modules: no part of the tree. PYTHONPATH leads to it."""
    (tmp_path / "mine").mkdir()
    return tmp_path


@asynccontextmanager
async def ran(*arguments: str, **variables: str) -> AsyncIterator[Bench]:
    """A command of the bench that ended well."""
    async with bench(*arguments, **variables) as run:
        await run.ended()
        assert run.code == 0, run.said
        yield run


async def test_a_scenario_is_one_file_given_by_its_path(folder: Path) -> None:
    path = folder / "newcomers.toml"
    path.write_text(shown("A scenario"))
    async with ran("run", str(path), VUS="20", WARMUP="1s", DURATION="3s") as run:
        result, told = run.document(), run.document("loadgen.json")
    assert (result["scenario"], result["verdict"]) == ("newcomers", "converged")
    assert {phase["name"] for phase in told["phases"]} >= {"load", "convergence", "verification"}


async def test_a_fault_is_one_module_given_by_its_dotted_name(folder: Path) -> None:
    (folder / "mine" / "standstill.py").write_text(shown("A fault"))
    async with ran("drill", "mine.standstill", PYTHONPATH=str(folder), **SHORT) as run:
        (done,) = run.results.glob("*-drills-*/drills.json")
        assert '"verdict": "passed"' in done.read_text()
        assert "stood still" in run.said


async def test_a_target_is_one_folder_given_by_its_path(folder: Path) -> None:
    own = folder / "dictionary"
    own.mkdir()
    (own / "target.toml").write_text(shown("A target"))
    (own / "service.py").write_text(SERVICE)
    async with ran("run", "throughput", **SHORT, TARGET=str(own)) as run:
        result = run.document()
        counts = result["correctness"]
    assert (result["target"]["name"], result["verdict"], result["proof"]) == ("dictionary", "converged", "read-back")
    assert counts["acknowledged_checked"] > 0
    # What reading back can not see is nobody's 0.
    assert (counts["events_checked"], counts["lost"], counts["phantom"]) == (0, None, None)


async def test_a_strategy_is_one_module_given_by_its_dotted_name(cluster: Cluster, folder: Path) -> None:
    (folder / "mine" / "few_at_once.py").write_text(shown("An ordering strategy"))
    told = {"STRATEGY": "mine.few_at_once", "PYTHONPATH": str(folder), "DATABASE_URL": cluster.create(migrated=False)}
    async with ran("run", "throughput", **SHORT, **told) as run:
        result, told_at_end = run.document(), run.document("loadgen.json")
    assert (result["strategy"], result["verdict"]) == ("mine.few_at_once", "converged")
    assert told_at_end["strategies"] == ["mine.few_at_once"]


async def test_a_read_model_is_one_module_given_by_its_dotted_name(cluster: Cluster, folder: Path) -> None:
    (folder / "mine" / "lengths.py").write_text(shown("A read model"))
    told = {"HANDLER": "each", "READ_MODELS": "todos,mine.lengths", "PYTHONPATH": str(folder)}
    url = cluster.create()
    connection = await asyncpg.connect(url)
    try:
        # Its table is its own affair.
        await connection.execute("CREATE TABLE lengths (id text PRIMARY KEY, length int)")
        async with ran("run", "throughput", **SHORT, **told, DATABASE_URL=url) as run:
            assert run.document()["verdict"] == "converged"
        assert await connection.fetchval("SELECT count(*) FROM lengths") > 0
        assert await connection.fetchval(DIFFERENT) == 0
    finally:
        await connection.close()
