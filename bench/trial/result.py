"""`result.json` of a run: the figures of the load generator under the verdict of both oracles, or a void one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.bundle.folder import Bundle
from bench.oracle.verdict import judge
from bench.platforms.platform import System
from bench.preflight import told as said
from bench.preflight.examination import FILE as DOCTOR
from bench.preflight.settings import Settings
from bench.trial.contract import looked_at
from metrics.records.result import METHOD, SCHEMA, Result, optional_sections, sections
from metrics.records.sections.target import Description, Target
from metrics.records.verification import Verification
from settings.strategies import NOT_TOLD
from settings.targets.manifest import Manifest


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
        target=target_of(settings.target),
        platform="",
        mode=settings.mode,
        strategy=settings.strategy,
        handler=settings.handler,
        proof=settings.target.proof,
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
    level = verification.level
    verdict, why = judge(loadgen["verdict"], loadgen["why"], correctness, verification.offenders, level)
    if others := said.others(settings, loadgen):
        verdict, why = ("diverged" if verdict == "diverged" else "invalid"), "; ".join(filter(None, (others, why)))
    return replace(
        void(run_id, settings, why, trial=trial),
        verdict=verdict,
        proof=level,
        strategy=_as_told(settings.strategy, loadgen.get("strategies")),
        handler=_as_told(settings.handler, loadgen.get("handlers")),
        **{**told, "correctness": correctness},
    )


def target_of(manifest: Manifest) -> Target:
    """The target as a result has it."""
    told: Target = {
        "name": manifest.name,
        "version": manifest.version,
        "class": manifest.class_,
        "capabilities": list(manifest.capabilities),
    }
    return {**told, "reference": True} if manifest.reference else told


def description_of(manifest: Manifest, *, durable_checked: bool) -> Description:
    """What the target is, and what to know of it, by its manifest."""
    return {
        "title": manifest.title,
        "language": manifest.language,
        "store": manifest.store,
        "proof": manifest.proof,
        "homepage": manifest.homepage,
        "durable": manifest.durable,
        "durable_checked": durable_checked,
        "modes": list(manifest.modes),
        "know": list(manifest.know),
    }


def leave_surroundings(system: System, bundle: Bundle) -> None:
    """What was measured and what it ran on, as far as it has it: a document each."""
    if system.settings.target.told:
        bundle.write("target.json", description_of(system.settings.target, durable_checked=looked_at(system)))
    if system.postgres is not None:
        bundle.write("postgres.json", system.postgres)
    if system.doctor is not None:
        bundle.write(DOCTOR, system.doctor.document.to_dict())
    bundle.write("versions.json", system.platform.versions())


def _as_told(asked: str, told: Sequence[str] | None) -> str:
    """What projectors say that they work by, where a run could not ask for it."""
    return " and ".join(told) if told and asked == NOT_TOLD else asked
