"""Short trials of all visibility strategies at once: nothing is lost but by the control, and it is known who stands."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console

from bench.answers.ordering import command, judge, strategies
from bench.answers.ordering.strategy import Strategy
from bench.answers.ordering.trial import Terms, measure
from bench.oracle.database import connect
from metrics.records.answers.ordering import FILE, Trial
from tests.cluster import Cluster

ALL: Final = strategies.load()
TERMS: Final = Terms(seconds=0.7, writers=4, stall_s=0.3, seed=7)


async def trial(url: str, foreign: str, strategy: Strategy) -> Trial:
    connection = await connect(url)
    for statement in strategy.schema:
        await connection.execute(statement)
    await connection.close()
    return await measure(url, foreign, strategy, TERMS, 1)


@pytest.fixture(scope="module")
def trials(cluster: Cluster) -> Mapping[str, Trial]:
    """One of each, side by side in one loop: each has a database of its own."""
    urls = {name: cluster.create() for name in ALL}
    foreign = cluster.create(migrated=False)

    async def all_of_them() -> Mapping[str, Trial]:
        found = await asyncio.gather(*(trial(urls[name], foreign, strategy) for name, strategy in ALL.items()))
        return dict(zip(ALL, found, strict=True))

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, all_of_them()).result()


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_lost_or_seen_twice_but_by_the_control(trials: Mapping[str, Trial], name: str) -> None:
    row = judge.row(name, ALL[name], [trials[name]])
    assert judge.as_it_must(row), row["why"]
    load = trials[name]["load"]
    assert load["seen"] + load["lost"] == load["appends"] > 0
    assert load["rolled_back"] + load["late"] > 0


def test_the_control_loses_the_event_of_the_stalled_writer(trials: Mapping[str, Trial]) -> None:
    assert trials["naive"]["stalled_writer"]["lost"] > 0


def test_a_stalled_writer_lets_others_stand_where_writers_take_turns_and_nowhere_else(
    trials: Mapping[str, Trial],
) -> None:
    standing = {name for name, each in trials.items() if each["stalled_writer"]["appends_per_s"] == 0}
    assert standing == {"advisory-lock", "counter-row", "table-lock"}


def test_a_foreign_transaction_holds_back_the_reader_below_the_horizon(trials: Mapping[str, Trial]) -> None:
    # Whatever was committed in its first half had to wait for the other one.
    assert trials["xid-below-xmin"]["foreign_transaction"]["follower_s"] > TERMS.stall_s / 2


def test_the_command_measures_ours_and_somebody_elses_on_a_server_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "path" / "of_somebody"
    mine.mkdir(parents=True)
    (mine / "hopeful.py").write_text(
        "from dataclasses import replace\n"
        "from bench.answers.ordering.strategies import naive\n"
        "STRATEGY = replace(naive.STRATEGY, title='hope', control=False)\n"
    )
    monkeypatch.syspath_prepend(mine.parent)
    parser, said = argparse.ArgumentParser(), StringIO()
    command.add_arguments(parser)
    words = ["--only", "watermark,of_somebody.hopeful", "--seconds", "500ms", "--stall", "100ms", "--rounds", "1"]
    arguments = argparse.Namespace(**vars(parser.parse_args([*words, "--writers", "4"])), results=tmp_path / "results")

    code = command.ordering(arguments, Console(file=said, width=200))

    (path,) = (tmp_path / "results").glob(f"*-ordering-*/{FILE}")
    document = json.loads(path.read_text())
    rows = {row["strategy"]: row for row in document["rows"]}
    assert rows["watermark"]["verdict"] == "sound", said.getvalue()
    assert rows["of_somebody.hopeful"]["verdict"] == "lost"
    assert "1 lost by hand" in rows["of_somebody.hopeful"]["why"]
    assert (code, document["sound"]) == (1, False)
    assert document["postgres"]["settings"]["fsync"] == document["postgres"]["settings"]["synchronous_commit"] == "on"
    assert (path.parent / "report.html").exists()
