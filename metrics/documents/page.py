"""`docs/operation/metrics.md`: every measurement with its metrics, made from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from metrics.catalogue import CATALOGUE, KINDS, SAMPLED, Measurement
from metrics.exposed import EXPOSED, SHARD

PATH: Final = Path(__file__).parents[2] / "docs" / "operation" / "metrics.md"
_HEAD: Final = """\
# Metrics

Made by `task docs` from `metrics/catalogue.py`; do not edit.

Each measurement below is one of InfluxDB; its metrics are the fields, all floats but the kind `text`. Those of
{sampled}
are also the fields of `samples.jsonl`, where `t` is the time (seconds since the epoch) and `phase` the phase.

Tags: `run` (the run's id), `target` (what was measured: `TARGET`), `mode` (serial, parallel), `strategy` (by which the
projectors order events: `STRATEGY`; `not told` where the target does not say), `scenario`, `phase` (warmup, load, hold,
convergence, verification), `endpoint` (method and route), `reason` (a status, or no answer), `projector` (its name),
`handler` and `read_models` (how that projector works).

Kinds:

{kinds}
"""


def markdown() -> str:
    """The whole document."""
    kinds = "\n".join(f"- `{kind}`: {meaning}" for kind, meaning in KINDS.items())
    sampled = ", ".join(f"`{measurement.name}`" for measurement in SAMPLED)
    sections = [_HEAD.format(kinds=kinds, sampled=sampled)]
    sections += ["\n".join(_section(measurement)) + "\n" for measurement in CATALOGUE.values()]
    sections += ["\n".join(_exposed()) + "\n"]
    return "\n".join(sections)


def _section(measurement: Measurement) -> Iterator[str]:
    yield f"## {measurement.name}"
    yield ""
    yield f"{measurement.meaning[0].upper()}{measurement.meaning[1:]}. Tags: {', '.join(measurement.tags)}."
    yield ""
    yield "| metric | unit | kind | meaning |"
    yield "|---|---|---|---|"
    for metric in measurement.metrics:
        meaning = metric.meaning.replace("|", "\\|")
        yield f"| `{metric.name}` | {metric.unit} | {metric.kind} | {meaning} |"


def _exposed() -> Iterator[str]:
    yield "## What `GET /metrics` tells"
    yield ""
    yield "For Prometheus, beside `http_request_duration_seconds`: from `metrics/exposed.py`. Counters end in `_total`."
    yield ""
    yield f"Of several shards, what has no label `process` is told of each, with its number as the label `{SHARD}`."
    yield "One that gives no figures in time ([bounds](bounds.md)) is told by two: `tidemark_store_up`, which is 0,"
    yield "and `tidemark_store_unsound`."
    yield ""
    yield "| metric | kind | labels | meaning |"
    yield "|---|---|---|---|"
    for one in EXPOSED:
        name = f"{one.name}_total" if one.kind == "counter" else one.name
        yield f"| `{name}` | {one.kind} | {', '.join(one.labels)} | {one.meaning} |"
