"""What may be asked of a target: its modes, its number of projectors, and the settings that act on it.

Our own has all settings. Any other has the load's, and of the projection's those that its manifest takes; a variable
that would change nothing is refused by its name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from settings.catalogue import api, projection
from settings.catalogue.kinds import Setting
from settings.catalogue.load import BASE_URL, TARGET
from settings.environment import Environment, SettingError
from settings.targets import reader
from settings.targets.document import Mode, Proof
from settings.targets.manifest import Manifest

OURS: Final[tuple[Setting, ...]] = (
    projection.STRATEGY,
    projection.HANDLER,
    projection.READ_MODELS,
    projection.STREAMS_IN_FLIGHT,
    api.API_PROCESSES,
)
"""Settings by which our own system alone works."""


def chosen(env: Environment, *, proof_elsewhere: Proof) -> Manifest:
    """The target of TARGET; with BASE_URL what runs there, ours where its store can be read. Raises SettingError."""
    name = TARGET.read(env)
    if env.optional(BASE_URL.name) is None:
        return reader.load(name)
    if name == reader.DEFAULT and proof_elsewhere == "store":
        return reader.load(name)
    return reader.elsewhere(name, proof=proof_elsewhere)


def mode(target: Manifest, env: Environment, asked: Mode | None) -> Mode:
    """The mode of a run: what is asked for, else SERIAL_PROJECTION, else what the target has. Raises SettingError."""
    serial = projection.SERIAL_PROJECTION.given(env, projection.SERIAL_PROJECTION.read)
    told: Mode | None = asked or (None if serial is None else "serial" if serial else "parallel")
    if told is None:
        return "parallel" if target.runs_in("parallel") else target.modes[0]
    if not target.runs_in(told):
        has = " and ".join(target.modes)
        raise SettingError(
            TARGET.name, target.name, f"a target that has {told} mode: this one runs in {has} mode alone"
        )
    return told


def refuse_others(target: Manifest, given: Mapping[str, str], env: Environment) -> None:
    """Raise SettingError for a setting that somebody made and that changes nothing of the target."""
    for setting in OURS:
        if setting.name in given and setting.written != given[setting.name].strip():
            raise SettingError(setting.name, given[setting.name], f"no value with {TARGET.name}={target.name}")
    latency = projection.HANDLER_LATENCY_MS
    if latency.read(env) and not target.uses("handler_latency_ms"):
        problem = f"0 or no value with {TARGET.name}={target.name}: its handler takes no artificial cost"
        raise SettingError(latency.name, latency.spell(latency.read(env)), problem)


def projectors(target: Manifest, env: Environment, given: Collection[str]) -> int:
    """How many projectors run: PROJECTORS, of which a default is lowered to what the target has.

    Raises SettingError for more that somebody asked for by name.
    """
    asked: int = projection.PROJECTORS.read(env)
    if asked > target.most_projectors and projection.PROJECTORS.name in given:
        raise too_many(target, projection.PROJECTORS.name, asked)
    return min(asked, target.most_projectors)


def too_many(target: Manifest, name: str, asked: int) -> SettingError:
    """The refusal of more projectors than the target has."""
    most = target.most_projectors
    expected = f"{most} at most" if most else "no value"
    why = "by its manifest" if most else "it has no projector process"
    return SettingError(name, str(asked), f"{expected} with {TARGET.name}={target.name}: {why}")
