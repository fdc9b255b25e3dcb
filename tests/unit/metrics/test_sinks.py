"""The sinks keep what they are told, and refuse what the catalogue does not have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metrics.sinks import JsonLinesSink, MemorySink, NullSink, Sink, UnknownMetric, Value

SAMPLE: dict[str, Value | str] = {"t": 1.5, "phase": "load", "users": 3, "backlog": None}


@pytest.fixture(params=["null", "memory", "lines"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    made: dict[str, Sink] = {"null": NullSink(), "memory": MemorySink(), "lines": JsonLinesSink(tmp_path / "x.jsonl")}
    return made[request.param]


def test_a_name_outside_the_catalogue_is_refused_by_name(sink: Sink) -> None:
    sink.write(SAMPLE)
    with pytest.raises(UnknownMetric, match="made_up"):
        sink.write({**SAMPLE, "made_up": 1})
    sink.close()


def test_memory_keeps_copies() -> None:
    sink, sample = MemorySink(), dict(SAMPLE)
    sink.write(sample)
    sample["users"] = 4
    sink.close()
    assert sink.samples == [SAMPLE]
    assert sink.closed


def test_a_line_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "samples.jsonl")
    for number in range(3):
        sink.write({**SAMPLE, "users": number})
        lines = (tmp_path / "samples.jsonl").read_text().splitlines()
        assert json.loads(lines[-1]) == {**SAMPLE, "users": number}
    sink.close()
    assert len(lines) == 3


def test_what_is_not_json_is_refused_rather_than_written(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "samples.jsonl")
    with pytest.raises(ValueError, match="not JSON compliant"):
        sink.write({**SAMPLE, "users": float("nan")})
    sink.close()
    assert (tmp_path / "samples.jsonl").read_text() == ""
