"""The files of a run, with nobody to tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_type_hints

from metrics.reading import read
from metrics.records.loadgen import Loadgen
from metrics.records.result import sections
from services.loadgen.judge.convergence import Judgement
from services.loadgen.judge.stats import parse_stats
from services.loadgen.output.bundle import Bundle
from services.loadgen.settings import Settings
from tests.unit.loadgen.test_stats import DOCUMENT

SAMPLE = {"event": "sample", "t": 1.0, "phase": "load", "users": 3, "endpoints": [{"endpoint": "x"}], "failures": []}


def test_without_influxdb_nobody_is_told_and_nothing_is_dropped(tmp_path: Path) -> None:
    bundle = Bundle(Settings(results_dir=tmp_path))
    bundle.begin(parse_stats(DOCUMENT))
    bundle.phase("load", 0.5)
    bundle.sample(dict(SAMPLE))
    bundle.close(Judgement("invalid", "interrupted"))
    document = json.loads((tmp_path / "loadgen.json").read_text())
    assert (document["influx"], document["generator"]["dropped_points"]) == (None, 0)


def test_the_document_is_the_record_of_it_with_a_result_s_figures(tmp_path: Path) -> None:
    bundle = Bundle(Settings(results_dir=tmp_path))
    bundle.phase("load", 0.5)
    bundle.close(Judgement("invalid", "interrupted"))
    document = read(tmp_path / "loadgen.json", Loadgen)
    assert set(document) == {*get_type_hints(Loadgen), *sections()}
    assert {name: section.from_dict(document[name]) for name, section in sections().items()} == {  # type: ignore[literal-required]
        name: section() for name, section in sections().items()
    }


def test_what_the_projectors_said_of_their_strategy_is_kept(tmp_path: Path) -> None:
    """All through the run: one that was started meanwhile may work by another."""
    bundle = Bundle(Settings(results_dir=tmp_path))
    bundle.begin(parse_stats({**DOCUMENT, "strategies": ["stream-leases"]}))
    new = {"projector": "new", "strategy": "stream-locks", "handler": "each", "read_models": "todos"}
    bundle.sample({**SAMPLE, "projectors": [new]})
    bundle.sample({**SAMPLE, "projectors": [{**new, "handler": "", "read_models": ""}]})
    bundle.close(Judgement("converged", ""))
    document = json.loads((tmp_path / "loadgen.json").read_text())
    assert document["strategies"] == ["stream-leases", "stream-locks"]
    assert (document["handlers"], document["read_models"]) == (["each"], ["todos"])


def test_a_line_of_samples_is_flat(tmp_path: Path) -> None:
    bundle = Bundle(Settings(results_dir=tmp_path))
    bundle.sample(dict(SAMPLE))
    bundle.close(Judgement("converged", ""))
    (line,) = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "t": 1.0,
        "phase": "load",
        "users": 3,
        "visibility_p50_ms": None,
        "visibility_p99_ms": None,
        "unseen_age_ms": None,
        "dropped_points": 0,
    }
