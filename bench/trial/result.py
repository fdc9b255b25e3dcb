"""`result.json` of a run: the figures of the load generator under the verdict of both oracles, or a void one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench import ROOT
from bench.oracle.verdict import judge
from bench.preflight import description
from bench.preflight import told as said
from bench.preflight.settings import Settings
from metrics.records.result import METHOD, SCHEMA, Result, optional_sections, sections
from metrics.records.verification import Verification


def void(run_id: str, settings: Settings, why: str, *, trial: int) -> Result:
    """The result of a run that ended before it could be judged. Its numbers are zeros and mean nothing.

    Where it ran is for the runner to say.
    """
    nothing: dict[str, Any] = {name: section() for name, section in sections().items()}
    return Result(
        schema=SCHEMA,
        method=METHOD,
        run_id=run_id,
        scenario=settings.scenario.name,
        target=description.target(ROOT),
        platform="",
        mode=settings.mode,
        strategy=settings.strategy,
        handler=settings.handler,
        # Without its database no run begins.
        proof="store",
        verdict="invalid",
        why=why,
        settings=settings.recorded(),
        trial=trial,
        **nothing,
    )


def merge(
    run_id: str, settings: Settings, loadgen: Mapping[str, Any], verification: Verification, *, trial: int
) -> Result:
    """The result: what the load generator measured, judged by both oracles."""
    told: dict[str, Any] = {name: section.from_dict(loadgen[name]) for name, section in sections().items()}
    for name, section in optional_sections().items():
        if loadgen.get(name) is not None:
            told[name] = section.from_dict(loadgen[name])
    correctness = replace(
        verification.correctness,
        acknowledged_checked=told["correctness"].acknowledged_checked,
        acknowledged_missing=told["correctness"].acknowledged_missing,
    )
    verdict, why = judge(loadgen["verdict"], loadgen["why"], correctness, verification.offenders)
    if others := said.others(settings, loadgen):
        verdict, why = ("diverged" if verdict == "diverged" else "invalid"), "; ".join(filter(None, (others, why)))
    return replace(
        void(run_id, settings, why, trial=trial),
        verdict=verdict,
        **{**told, "correctness": correctness},
    )
