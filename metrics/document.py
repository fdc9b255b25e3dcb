"""`python -m metrics.document`: write `docs/metrics.md` from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from metrics.catalogue import CATALOGUE, KINDS, SAMPLED, Measurement
from metrics.files import write_whole
from settings import terminal

PATH: Final = Path(__file__).parents[1] / "docs" / "metrics.md"
_HEAD: Final = """\
# Metrics

Made by `task docs` from `metrics/catalogue.py`; do not edit.

Each measurement below is one of InfluxDB; its metrics are the fields, all floats but the kind `text`. Those of
{sampled}
are also the fields of `samples.jsonl`, where `t` is the time (seconds since the epoch) and `phase` the phase.

Tags: `run` (the run's id), `mode` (serial, parallel), `scenario`, `phase` (warmup, load, convergence, verification),
`endpoint` (method and route), `reason` (a status, or no answer), `projector` (its name).

Kinds:

{kinds}
"""


def markdown() -> str:
    """The whole document."""
    kinds = "\n".join(f"- `{kind}`: {meaning}" for kind, meaning in KINDS.items())
    sampled = ", ".join(f"`{measurement.name}`" for measurement in SAMPLED)
    sections = [_HEAD.format(kinds=kinds, sampled=sampled)]
    sections += ["\n".join(_section(measurement)) + "\n" for measurement in CATALOGUE.values()]
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


if __name__ == "__main__":
    terminal.forgive()
    PATH.parent.mkdir(exist_ok=True)
    write_whole(PATH, markdown())
