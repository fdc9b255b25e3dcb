"""Every question of both dashboards, put to a real InfluxQL engine after real runs, has an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest

from metrics.catalogue import CATALOGUE, RUN_TAGS
from tests.dashboards import Query, filled_in, queries
from tests.integration.influx.conftest import Runs

EVER = {"since_ms": 0, "until_ms": 4_000_000_000_000}


def chosen_runs(runs: Runs) -> list[str]:
    rows = runs.engine.rows('SHOW TAG VALUES FROM "run_info" WITH KEY = "run"')
    return [row["value"] for row in rows]


def ask(runs: Runs, query: str, chosen: Mapping[str, Sequence[str]]) -> int:
    return len(runs.engine.rows(filled_in(query, **EVER, chosen=chosen)))


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_query_returns_rows_for_all_runs_and_for_chosen_ones(query: Query, runs: Runs) -> None:
    assert ask(runs, query.text, {}) > 0
    several = {"run": chosen_runs(runs), "strategy": ["global-order", "stream-leases"], "scenario": ["throughput"]}
    assert ask(runs, query.text, several) > 0


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_misspelt_measurement_returns_none(query: Query, runs: Runs) -> None:
    misspelt = re.sub(r'FROM "(\w+)"', r'FROM "\1s"', query.text)
    assert misspelt != query.text
    assert ask(runs, misspelt, {}) == 0


@pytest.mark.parametrize("query", [q for q in queries() if "$run" in q.text], ids=str)
def test_a_query_heeds_the_chosen_run(query: Query, runs: Runs) -> None:
    assert ask(runs, query.text, {"run": ["another"]}) == 0


def test_every_metric_of_the_catalogue_is_written(runs: Runs) -> None:
    # The arrivals of the open loop, and answers that took more than the largest bound, are not in these runs.
    for measurement in CATALOGUE.values():
        rows = runs.engine.rows(f'SHOW FIELD KEYS FROM "{measurement.name}"')
        kinds = {row["fieldKey"]: row["fieldType"] for row in rows}
        assert measurement.names - kinds.keys() <= {"target_rate"}, measurement.name
        for metric in measurement.metrics:
            assert kinds.get(metric.name, "float") == ("string" if metric.kind == "text" else "float"), metric
        tags = {row["tagKey"] for row in runs.engine.rows(f'SHOW TAG KEYS FROM "{measurement.name}"')}
        assert tags == set(measurement.tags)


def test_tags_have_few_values(runs: Runs) -> None:
    series = runs.engine.rows("SHOW SERIES")
    run = runs.bench_folder.name
    of_one_run = [row["key"] for row in series if f"run={run}," in row["key"] + ","]
    assert 10 < len(of_one_run) < 60, of_one_run
    assert len(RUN_TAGS) == 5
