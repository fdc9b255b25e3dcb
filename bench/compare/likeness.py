"""What may be compared with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any, Final

from bench.compare import surroundings
from bench.compare.arms.arm import apart
from bench.compare.loaded import Loaded
from bench.ends.errors import SetupError
from bench.preflight.description import durable, unlike
from bench.preflight.examination import FILE as DOCTOR
from metrics.records.result import Result
from settings import catalogue
from settings.catalogue.load import TARGET
from settings.strategies import IN_PARALLEL, IN_SERIAL

USABLE: Final = ("converged", "timed_out")
NO_DIFFERENCE: Final = {setting.name for setting in catalogue.every() if not setting.acts}


def refuse(arms: Sequence[Sequence[Loaded]], *, anyway: bool) -> list[str]:
    """Raise SetupError where the bundles can not be compared; returns what was only let pass by `anyway`."""
    every = list(chain.from_iterable(arms))
    _refuse_twice(every)
    for trial in every:
        _refuse_void(trial)
    if told := unlike_methods([trial.result for trial in every]):
        raise SetupError("compare", told, "measure one of them again; docs/method.md says what differs")
    doubts = [doubt for one, other in combinations(every, 2) for doubt in _doubts(one, other)]
    doubts += [doubt for arm in arms for doubt in _unequal(arm)]
    if doubts and not anyway:
        raise SetupError("compare", doubts[0], "compare what was measured alike, or say --anyway")
    return list(dict.fromkeys(doubts))


def in_doubt(arms: Sequence[Sequence[Loaded]]) -> list[str]:
    """What speaks against trials, so that they give no verdict: their doubts, and warnings that one arm alone has."""
    told = [f"{trial.result.run_id}: {doubt}" for arm in arms for trial in arm for doubt in trial.result.doubts]
    # No doctor looks at a target that is not ours, so none can have warned of it.
    examined = [arm for arm in arms if any((trial.folder / DOCTOR).exists() for trial in arm)]
    warned = [{_warning(text) for trial in arm for text in trial.result.warnings} for arm in examined or arms]
    alone = sorted(set[str]().union(*warned) - warned[0].intersection(*warned[1:])) if warned else []
    return [*told, *(f"the doctor warned of {name} in some arms and not in others" for name in alone)]


def _warning(text: str) -> str:
    """What a warning is of; its figure differs from trial to trial."""
    return text.partition(":")[0]


def _refuse_void(trial: Loaded) -> None:
    result, name = trial.result, trial.result.run_id
    if result.verdict not in USABLE or result.correctness.faults:
        raise SetupError(name, f"it is {result.verdict} and has no results to compare", "choose a run that converged")
    # A target on another store has no server to ask: its manifest says how durable it is.
    told = trial.postgres or result.proof == "store"
    if told and (trial.postgres.get("profile") == "test" or not durable(dict(trial.postgres))):
        raise SetupError(
            name, "it was measured without durability (fsync or synchronous_commit is off)", "run it again with both on"
        )


def _refuse_twice(trials: Sequence[Loaded]) -> None:
    """Pairs are counted as independent, so a run is in one of them, by whatever path or link it was named."""
    named: dict[str, Path] = {}
    for trial in trials:
        name = trial.result.run_id
        if name in named:
            raise SetupError(
                name, f"is named twice ({named[name]} and {trial.folder})", "name each run once; measure more pairs"
            )
        named[name] = trial.folder


def unlike_methods(results: Sequence[Result]) -> str:
    """Which two are figures of two methods, so answers to two questions, which no word lets pass; else nothing."""
    first = results[0]
    for other in results[1:]:
        if other.method != first.method:
            return f"{other.run_id} was measured by method {other.method}, and {first.run_id} by method {first.method}"
    return ""


def _doubts(one: Loaded, other: Loaded) -> list[str]:
    pair = f"{one.result.run_id} and {other.result.run_id}"
    found = (
        [f"{pair} ran on unlike machines ({', '.join(names)} differ)"]
        if (names := unlike(dict(one.machine), dict(other.machine)))
        else []
    )
    if one.result.scenario != other.result.scenario:
        found.append(f"{pair} are of different scenarios")
    if told := surroundings.unlike(one, other):
        found.append(f"{pair} differ in what stands around the system ({'; '.join(told)})")
    return found


def _unequal(arm: Sequence[Loaded]) -> list[str]:
    first = arm[0]
    return [
        f"{first.result.run_id} and {trial.result.run_id} are on one side and differ in {', '.join(names)}"
        for trial in arm[1:]
        if (names := sorted(differing([conditions(first), conditions(trial)])))
    ]


def conditions(trial: Loaded) -> dict[str, Any]:
    """Everything that may make two trials differ, by name."""
    settings = {name: value for name, value in trial.result.settings.items() if name not in NO_DIFFERENCE}
    # A strategy is of one mode, so it says what three would say; the result tells by what projectors worked.
    for name in ("SERIAL_PROJECTION", "STRATEGY"):
        settings.pop(name, None)
    settings["strategy"] = trial.result.strategy
    versions, postgres = trial.versions, trial.postgres
    revision = f"{str(versions.get('revision'))[:10]}{' with changes' if versions.get('dirty') else ''}"
    # A result that is older than targets is one of ours.
    settings.setdefault(TARGET.name, TARGET.default)
    target = {
        f"target's {name}": value
        for name, value in (versions.get("target") or {}).items()
        if name in ("version", "lock")
    }
    built = {"revision": revision, "python": versions.get("python"), **target}
    server = {f"Postgres {name}": value for name, value in postgres.get("settings", {}).items()}
    ours = {f"{name} of the environment": value for name, value in postgres.get("environment", {}).items()}
    return {**settings, **built, **versions.get("packages", {}), "Postgres": postgres.get("version"), **server, **ours}


def differing(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names whose values are not the same everywhere, in order."""
    names = dict.fromkeys(chain.from_iterable(conditions))
    return [name for name in names if len({str(each.get(name)) for each in conditions}) > 1]


def name_arms(arms: Sequence[Loaded]) -> list[str]:
    """A short name for each arm, from the first trial of each: what makes it differ from the others."""
    found = [conditions(trial) for trial in arms]
    differs = differing(found)
    if TARGET.name in differs:
        # Another target has other settings, too.
        return apart([str(each.get(TARGET.name)) for each in found])
    if len(differs) == 1:
        (name,) = differs
        told = ["unset" if each.get(name) is None else str(each[name]) for each in found]
        if name == "strategy":
            # What a mode works by unless told otherwise is named by the mode.
            by_mode = set(told) == {IN_SERIAL, IN_PARALLEL}
            return [trial.result.mode for trial in arms] if by_mode else told
        return [f"{name}={value}" for value in told]
    return [chr(ord("A") + number) for number in range(len(arms))]
