"""What a run asks of its target: of ours a strategy and a handler, of any other what its manifest has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from settings import Environment, catalogue, children, strategies
from settings.catalogue import projection
from settings.catalogue.projection import HandlerKind
from settings.strategies import NOT_TOLD
from settings.targets import fit
from settings.targets.document import Mode
from settings.targets.manifest import Manifest


def projection_of(target: Manifest, env: Environment, given: Mapping[str, str], mode: Mode | None) -> dict[str, Any]:
    """How it projects, as fields of a run's settings. `given` is what somebody has set, of which `env` knows defaults.

    Raises SettingError for what the target does not have.
    """
    return _ours(env, mode) if target.ours else _others(target, env, given, mode)


def _ours(env: Environment, mode: Mode | None) -> dict[str, Any]:
    return {
        "strategy": strategies.read(env, serial=None if mode is None else mode == "serial"),
        "handler": cast(HandlerKind, projection.HANDLER.read(env)),
        "projectors": projection.PROJECTORS.read(env),
    }


def _others(target: Manifest, env: Environment, given: Mapping[str, str], mode: Mode | None) -> dict[str, Any]:
    fit.refuse_others(target, given, env)
    asked, projectors = projection.PROJECTORS.read(env), fit.projectors(target, env, given)
    lowered = f"PROJECTORS is {projectors} and not {asked}: more are not for {target.name}, by its manifest"
    return {
        "strategy": NOT_TOLD,
        "handler": NOT_TOLD,
        "projectors": projectors,
        "told_mode": fit.mode(target, env, mode),
        "notes": (lowered,) if 0 < projectors < asked else (),
    }


def handed_on(target: Manifest, known: Mapping[str, str]) -> dict[str, str]:
    """The values of a user that processes are given; of a target that is not ours, the load generator's alone."""
    told = children.handed_on(known)
    return told if target.ours else {name: value for name, value in told.items() if name in catalogue.names("loadgen")}
