"""The catalogue of metrics, and the document made from it."""

from __future__ import annotations

import re

from metrics.catalogue import CATALOGUE, KINDS, SAMPLED
from metrics.documents.page import PATH, markdown
from metrics.sinks import NOT_METRICS

UNIT_SUFFIXES = {"_ms": "ms", "_percent": "%", "_s": "s"}


def test_the_document_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == markdown(), "run `task docs`"


def test_the_document_names_every_metric() -> None:
    told = markdown()
    for measurement in CATALOGUE.values():
        section = told.partition(f"## {measurement.name}\n")[2].partition("\n## ")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == measurement.names


def test_a_metric_is_named_once_and_says_its_unit_and_kind() -> None:
    for measurement in CATALOGUE.values():
        assert len(measurement.names) == len(measurement.metrics)
        assert not measurement.names & set(measurement.tags)
        for metric in measurement.metrics:
            assert metric.kind in KINDS
            assert metric.meaning
            assert (metric.unit == "") == (metric.kind == "text")


def test_units_agree_with_the_names() -> None:
    for measurement in CATALOGUE.values():
        for metric in measurement.metrics:
            if metric.name.endswith("_per_s"):
                assert metric.unit.endswith("/s"), metric
            elif suffix := next((s for s in UNIT_SUFFIXES if metric.name.endswith(s)), None):
                assert metric.unit in (UNIT_SUFFIXES[suffix], "1"), metric


def test_a_line_of_samples_has_each_field_once() -> None:
    names = [metric.name for measurement in SAMPLED for metric in measurement.metrics if metric.name != "elapsed_s"]
    assert len(names) == len(set(names))
    assert not NOT_METRICS & set(names)
