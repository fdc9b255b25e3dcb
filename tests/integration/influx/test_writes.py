"""What a run writes to InfluxDB is what its bundle says."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from metrics.records.result import Result, read_result
from tests.dashboards import document, filled_in, panels
from tests.integration.influx.conftest import Runs

PHASES = ["warmup", "load", "convergence", "verification"]


def last(runs: Runs, fields: str, run: str) -> dict[str, Any]:
    (row,) = runs.engine.rows(f'SELECT last("verdict") AS "verdict", {fields} FROM "result" WHERE "run" = \'{run}\'')
    return row


def test_every_second_of_the_bundle_is_there(runs: Runs) -> None:
    for run, samples in (("by hand, serial", runs.serial.samples), (runs.bench_folder.name, bench_samples(runs))):
        rows = runs.engine.rows(f'SELECT * FROM "load" WHERE "run" = \'{run}\'')
        assert [row["time"] for row in rows] == [round(sample["t"] * 1000) for sample in samples]
        assert [row["actions_per_s"] for row in rows] == pytest.approx([s["actions_per_s"] for s in samples])
        assert {row["phase"] for row in rows} == {sample["phase"] for sample in samples}


def bench_samples(runs: Runs) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (runs.bench_folder / "samples.jsonl").read_text().splitlines()]


def test_nothing_is_dropped_and_the_client_zips(runs: Runs) -> None:
    told = runs.serial.document["influx"]
    assert (told["dropped"], told["trouble"], told["run"]) == (0, None, "by hand, serial")
    assert told["written"] > 5 * len(runs.serial.samples) > 10
    assert f"influxdb     {told['written']} points written, 0 dropped" in runs.serial.said
    assert runs.engine.encodings == {"gzip"}


def test_the_result_is_that_of_all_oracles(runs: Runs) -> None:
    result: Result = runs.result
    fields = '"converged", "events_checked", "faults", "convergence_time_s", "actions_per_s", "dropped_points"'
    row = last(runs, fields, result.run_id)
    assert (row["verdict"], row["converged"], row["faults"]) == ("converged", 1, 0)
    assert row["events_checked"] == result.correctness.events_checked > 0
    assert row["convergence_time_s"] == pytest.approx(result.convergence.time_s)
    assert row["actions_per_s"] == pytest.approx(result.throughput.actions_per_s)
    assert row["dropped_points"] == result.generator.dropped_points == 0
    (count,) = runs.engine.rows(f'SELECT count("verdict") FROM "result" WHERE "run" = \'{result.run_id}\'')
    assert count["count"] == 1, "the bench's result takes the place of the load generator's"


def test_a_run_without_proof_has_a_verdict_and_no_figures(runs: Runs) -> None:
    row = last(runs, '"why", "converged", "final_projection_lag", "actions_per_s"', "by hand, diverged")
    assert (row["verdict"], row["converged"], row["actions_per_s"]) == ("diverged", 0, None)
    # Not how large it is: a lost create and a lost deletion cancel in it.
    assert row["final_projection_lag"] is not None
    assert row["why"]


def test_the_phases_are_ranges(runs: Runs) -> None:
    held = [*PHASES[:2], "hold", *PHASES[2:]]
    for run, phases in (("by hand, serial", PHASES), (runs.bench_folder.name, held)):
        rows = runs.engine.rows(f'SELECT "text", "ended_at_ms", "phase" FROM "phase" WHERE "run" = \'{run}\'')
        assert [row["phase"] for row in rows] == phases
        for row, following in pairwise(rows):
            assert row["time"] < row["ended_at_ms"] == pytest.approx(following["time"], abs=1)


def test_every_request_is_told_by_its_endpoint(runs: Runs) -> None:
    sums = 'SELECT sum("requests") AS n, sum("failures") AS failures FROM "endpoint"'
    rows = runs.engine.rows(f'{sums} WHERE "run" = \'by hand, serial\' GROUP BY "endpoint"')
    assert {row["endpoint"] for row in rows} == {
        "POST /todos",
        "PUT /todos/{id}",
        "DELETE /todos/{id}",
        "GET /todos",
        "GET /todos/{id}",
        "GET /stats",
    }
    reasons = runs.engine.rows(
        'SELECT sum("failures") AS n FROM "failure" WHERE "run" = \'by hand, serial\' GROUP BY "reason"'
    )
    assert sum(row["failures"] for row in rows) == sum(row["n"] for row in reasons) > 0
    assert {row["reason"] for row in reasons} == {"no answer"}


def test_a_run_that_had_to_catch_up_has_a_speed(runs: Runs) -> None:
    row = last(runs, '"convergence_speed_events_per_s" AS "speed", "converged"', "by hand, slow")
    assert row["converged"] == 1
    assert row["speed"] > 0


def test_a_run_whose_projectors_stood_still_has_a_speed_and_says_how_long(runs: Runs) -> None:
    named = {"speed": "speed_events_per_s", "events": "events", "held": "held_s"}
    fields = ", ".join(f'"convergence_{name}" AS "{short}"' for short, name in named.items())
    row = last(runs, fields, runs.bench_folder.name)
    found = runs.result.convergence
    assert (row["events"], row["held"]) == (found.events, pytest.approx(found.held_s))
    assert row["speed"] == pytest.approx(found.speed_events_per_s)
    assert found.events > 0
    assert found.held_s >= 1


def test_a_result_says_what_it_was_reached_under(runs: Runs) -> None:
    row = last(runs, '"projectors", "handler_latency_ms"', runs.bench_folder.name)
    assert (row["projectors"], row["handler_latency_ms"]) == (1, 0)
    alone = last(runs, '"projectors", "handler_latency_ms"', "by hand, serial")
    assert alone["handler_latency_ms"] is None, "the load generator alone does not know it, which is not zero"


def test_the_settings_of_a_run_are_told_by_both_who_know_them(runs: Runs) -> None:
    fields = ("users", "handler_latency_ms", "projectors", "write_ratio")
    lasts = ", ".join(f'last("{field}") AS "{field}"' for field in fields)
    (row,) = runs.engine.rows(f'SELECT {lasts} FROM "run_info" WHERE "run" = \'{runs.bench_folder.name}\'')
    assert [row[field] for field in fields] == [10, 0, 1, 0.5]


def test_the_link_at_the_end_shows_the_run_in_its_own_time_range(runs: Runs) -> None:
    (line,) = [line for line in runs.bench_said.splitlines() if line.startswith("watch")]
    link = urlsplit(line.split()[1])
    asked = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert (link.netloc, link.path) == ("grafana.example:3000", "/d/projection-consistency")
    since, until = int(asked["from"]), int(asked["to"])
    for panel in panels(document("projection-consistency.json")):
        if panel["title"] in ("Verdict", "Convergence time", "Runs", "Backlog"):
            for target in panel["targets"]:
                query = filled_in(target["query"], since_ms=since, until_ms=until, chosen={"run": [asked["var-run"]]})
                assert runs.engine.rows(query), panel["title"]
    assert asked["var-run"] == runs.bench_folder.name


def test_the_link_of_a_run_without_bench_goes_to_grafanas_usual_place(runs: Runs) -> None:
    told = runs.serial.document["influx"]
    assert told["dashboard"].startswith("http://localhost:3000/d/projection-consistency?from=")
    assert f"dashboard    {told['dashboard']}" in runs.serial.said


def test_the_token_is_in_no_file_of_the_bundle(runs: Runs) -> None:
    for path in runs.bench_folder.rglob("*"):
        if path.is_file():
            assert runs.engine.settings["INFLUX_TOKEN"].encode() not in path.read_bytes(), path
    assert read_result(runs.bench_folder / "result.json").settings["INFLUX_TOKEN"] == "***"
