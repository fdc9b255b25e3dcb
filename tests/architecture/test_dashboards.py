"""The dashboards as files: what Grafana will understand, and what a person needs to read them."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.documents import documents
from metrics.catalogue import CATALOGUE, CONDITIONS, RESULT, RUN_INFO
from metrics.target import DASHBOARD
from tests.dashboards import FOLDER, NAMES, Document, Query, document, panels, queries

# The bundle and its report have these; whoever adds a metric shows it, or says here that no panel does.
NOT_SHOWN = {
    *("duration_s", "write_ratio", "think_time_ms", "target_rate", "seed"),
    *(
        "convergence_events",
        "convergence_held_s",
        "visibility_p95_ms",
        "cpu_percent",
        "achieved_rate",
        "dropped_points",
    ),
}

KNOWN_UNITS = {value for name, value in vars(units).items() if not name.startswith("_")}

register_default_plugins()


def drawn(board: Document) -> list[Document]:
    return [panel for panel in panels(board) if panel["type"] != "row"]


def lost(sent: Any, kept: Any, where: str = "") -> list[str]:
    """What of `sent` is not in `kept`; nothing and null are the same."""
    if isinstance(sent, dict):
        kept = kept if isinstance(kept, dict) else {}
        return [gone for key, value in sent.items() for gone in lost(value, kept.get(key), f"{where}.{key}")]
    if isinstance(sent, list):
        kept = kept if isinstance(kept, list) and len(kept) == len(sent) else [None] * len(sent)
        return [gone for i, (a, b) in enumerate(zip(sent, kept, strict=True)) for gone in lost(a, b, f"{where}[{i}]")]
    return [] if sent == kept else [f"{where}: {sent!r} became {kept!r}"]


def round_trip(board: Document) -> Document:
    return dict(json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder)))


def test_the_files_are_current() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == documents(), (
        "run `task docs`"
    )


@pytest.mark.parametrize("name", NAMES)
def test_grafanas_own_model_keeps_every_key(name: str) -> None:
    assert lost(document(name), round_trip(document(name))) == []


def test_a_misspelt_key_would_be_lost() -> None:
    board = json.loads((FOLDER / NAMES[0]).read_text(encoding="utf-8"))
    panel = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    panel["fieldConfig"]["defaults"]["custom"]["lineWith"] = 3
    (gone,) = lost(board, round_trip(board))
    assert "lineWith" in gone


def test_each_dashboard_has_an_address_of_its_own() -> None:
    uids = [document(name)["uid"] for name in NAMES]
    assert sorted(uids) == sorted(name.removesuffix(".json") for name in NAMES)
    assert DASHBOARD in uids


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique(name: str) -> None:
    ids = [panel["id"] for panel in panels(document(name))]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMES)
def test_panels_neither_overlap_nor_stick_out(name: str) -> None:
    places = [(panel["title"], panel["gridPos"]) for panel in panels(document(name))]
    for title, at in places:
        assert at["x"] >= 0, title
        assert at["x"] + at["w"] <= 24, title
    for (one, a), (other, b) in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart = apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart, f"{one} overlaps {other}"


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_says_what_it_shows(name: str) -> None:
    titles = [panel["title"] for panel in drawn(document(name))]
    assert len(titles) == len(set(titles))
    for panel in drawn(document(name)):
        title, defaults = panel["title"], panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) > 20, title
        assert defaults["unit"] in KNOWN_UNITS or defaults["unit"].startswith("suffix: "), title
        steps = defaults["thresholds"]["steps"]
        assert steps[0]["value"] is None, title
        assert panel["datasource"] == {"type": "influxdb", "uid": "influxdb"}, title
        refs = [target["refId"] for target in panel["targets"]]
        assert refs, title
        assert len(refs) == len(set(refs)), title


@pytest.mark.parametrize("name", NAMES)
def test_what_can_be_good_or_bad_has_limits(name: str) -> None:
    for panel in drawn(document(name)):
        if (
            re.search("fault|blocked|dropped|CPU|failures|errors", panel["title"], re.IGNORECASE)
            and panel["type"] != "table"
        ):
            assert len(panel["fieldConfig"]["defaults"]["thresholds"]["steps"]) > 1, panel["title"]


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_query_asks_for_what_is_in_the_catalogue(query: Query) -> None:
    found = re.search(r'FROM "(\w+)"', query.text)
    assert found is not None
    measurement = CATALOGUE[found[1]]
    # No alias hides a name: it stands after AS, and in the outer part of a query of a query.
    aliases = set(re.findall(r'AS "([^"]+)"', query.text))
    named = set(re.findall(r'"([^"]+)"', query.text)) - {measurement.name} - (aliases - measurement.names)
    assert named <= measurement.names | set(measurement.tags), named - measurement.names


def test_every_measurement_is_asked_for() -> None:
    asked = {name for query in queries() for name in re.findall(r'FROM "(\w+)"', query.text)}
    assert asked == CATALOGUE.keys()


def asked_of(query: str, measurement: str) -> set[str]:
    return set(re.findall(r'"([^"]+)"', query)) if f'FROM "{measurement}"' in query else set()


def test_what_is_known_of_a_run_is_shown_or_said_not_to_be() -> None:
    # What run_info has may also be shown from result, or from load: users.
    everywhere = set().union(*(asked_of(query.text, name) for query in queries() for name in ("result", "load")))
    results = set().union(*(asked_of(query.text, "result") for query in queries()))
    infos = set().union(*(asked_of(query.text, "run_info") for query in queries()))
    assert (RESULT.names - results) | (RUN_INFO.names - infos - everywhere) == NOT_SHOWN


@pytest.mark.parametrize("name", NAMES)
def test_no_result_stands_without_what_it_was_reached_under(name: str) -> None:
    conditions = {metric.name for metric in CONDITIONS}
    assert "handler_latency_ms" in conditions <= RESULT.names
    tables = [p for p in drawn(document(name)) if p["type"] == "table" and 'FROM "result"' in p["targets"][0]["query"]]
    assert {panel["title"] for panel in tables} == {"Runs", "Runs without a result"}
    for panel in tables:
        assert conditions <= asked_of(panel["targets"][0]["query"], "result"), panel["title"]
        (organize,) = panel["transformations"]
        assert not conditions & organize["options"]["excludeByName"].keys(), panel["title"]
    (verdict,) = [panel for panel in drawn(document(name)) if panel["title"] == "Verdict"]
    beside = [panel for panel in drawn(document(name)) if panel["gridPos"]["y"] == verdict["gridPos"]["y"]]
    fields = {panel["options"]["reduceOptions"]["fields"] for panel in beside}
    assert {f"/^{condition}$/" for condition in conditions} <= fields


@pytest.mark.parametrize("name", NAMES)
def test_the_variables_are_run_target_strategy_and_scenario(name: str) -> None:
    variables = {variable["name"]: variable for variable in document(name)["templating"]["list"]}
    assert variables.keys() == {"run", "target", "strategy", "scenario"}
    for variable in variables.values():
        assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".*")


def test_the_data_source_is_the_one_that_panels_name() -> None:
    source = (FOLDER.parent / "provisioning" / "datasources" / "influxdb.yaml").read_text(encoding="utf-8")
    for line in ("uid: influxdb", "type: influxdb", "timeInterval: 1s", "dbName: ${INFLUX_BUCKET}"):
        assert line in source
    assert re.search(r"secureJsonData:\n +httpHeaderValue1: Token \$\{INFLUX_TOKEN\}", source)


def test_the_provider_reads_the_folder_that_the_stack_mounts() -> None:
    provider = (FOLDER.parent / "provisioning" / "dashboards" / "files.yaml").read_text(encoding="utf-8")
    assert "path: /var/lib/grafana/dashboards" in provider
    compose = (FOLDER.parents[1] / "compose.yaml").read_text(encoding="utf-8")
    assert "./grafana/dashboards:/var/lib/grafana/dashboards:ro" in compose
    assert "./grafana/provisioning:/etc/grafana/provisioning:ro" in compose
    assert f"HOME_DASHBOARD_PATH: /var/lib/grafana/dashboards/{DASHBOARD}.json" in compose
