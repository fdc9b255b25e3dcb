"""What a run asks of its target: of ours a strategy and a handler, of any other what its manifest has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from settings import Environment, SettingError, catalogue, children, strategies
from settings.catalogue import database, projection
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


def stores(env: Environment, base_url: str | None) -> tuple[str, ...]:
    """The address of each shard's database in their order, empty where the run starts its own. Raises SettingError.

    Several are those of a system that runs already: whoever starts one starts their servers, too.
    """
    several = database.DATABASE_URLS.optional(env)
    if several is None:
        one = database.DATABASE_URL.optional(env)
        return () if one is None else (one,)
    if base_url is None:
        expected = f"no value without BASE_URL: with {database.SHARDS.name} a run starts as many servers of its own"
        raise SettingError(database.DATABASE_URLS.name, "…", expected)
    return database.addresses(env)


def shards(env: Environment, urls: Sequence[str]) -> int:
    """As many as there are addresses, and without several as SHARDS says. Raises SettingError where they differ."""
    told = database.SHARDS.read(env)
    if len(urls) < 2:
        return told
    if told != len(urls) and env.optional(database.SHARDS.name) is not None:
        expected = f"{len(urls)}, or no value, with so many addresses in {database.DATABASE_URLS.name}"
        raise SettingError(database.SHARDS.name, str(told), expected)
    return len(urls)


def check_shards(target: Manifest, shards: int, given: str | None) -> None:
    """Raise SettingError for several shards of a target that has none, or of a given system or one given server."""
    if shards == 1:
        return
    if not target.ours:
        raise SettingError(database.SHARDS.name, str(shards), f"1, or no value, with TARGET={target.name}")
    if given is not None:
        expected = "1, or no value, with DATABASE_URL, or with BASE_URL without DATABASE_URLS"
        raise SettingError(database.SHARDS.name, str(shards), expected)


def of_shards(target: Manifest, shards: int) -> Manifest:
    """What the target offers with so many shards: several have no log in common, so it does not offer `events`."""
    return target if shards == 1 else target.offering([one for one in target.capabilities if one != "events"])
