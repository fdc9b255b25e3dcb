"""What is measured: the targets and variants that are installed here, each with the settings of its trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bench.compare.arms.variables import ambient
from bench.drill.repeated import Drill, settings_for
from bench.ends.errors import SetupError
from bench.platforms.targets import here
from bench.platforms.targets.folder import lacking
from bench.platforms.targets.here import Here
from bench.preflight.settings import Settings
from settings import SettingError
from settings.catalogue.database import DATABASE_URL
from settings.catalogue.load import BASE_URL, TARGET
from settings.targets import reader
from settings.targets.manifest import Manifest

KILL: Final = "kill-projector"
FIRST: Final = (reader.DEFAULT, "crud")
"""In the table; then all others by their names, a reference last. The first is what the others are compared with."""


@dataclass(frozen=True)
class LeftOut:
    """A target that is not measured, and what to do about it."""

    name: str
    why: str


@dataclass(frozen=True)
class Contender:
    """A target, or a variant of one, with the settings of its trials."""

    settings: Settings
    kill: Drill | None = None
    """The kills of its projector; None where none is asked for, or it has no such process."""

    @property
    def name(self) -> str:
        """As TARGET chooses it."""
        return self.settings.target.name

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self.settings.target


def choose(only: str | None, scenario: str, faults: int = 0) -> tuple[list[Contender], list[LeftOut]]:
    """The targets to measure, and those that are left out. Raises SettingError, SetupError where none can be."""
    variables = ambient()
    for setting, instead in ((BASE_URL, "unset it"), (DATABASE_URL, "unset it"), (TARGET, "unset it, and say --only")):
        if setting.name in variables:
            raise SetupError(setting.name, "each target of the table needs a system of its own", instead)
    # What is wrong with a setting for every target is told by its name, and not as many targets left out.
    Settings.from_env(variables, scenario=scenario)
    found: list[Contender] = []
    left_out: list[LeftOut] = []
    for each in _asked(only):
        if each.problem:
            left_out.append(LeftOut(each.target.name, f"{each.problem}: {each.remedy}"))
            continue
        try:
            told = {**variables, TARGET.name: _chosen_by(each.target)}
            found.append(Contender(Settings.from_env(told, scenario=scenario), _kill(told, scenario, each, faults)))
        except SettingError as error:
            left_out.append(LeftOut(each.target.name, str(error)))
    if not found:
        raise SetupError("targets", "none can be measured", "; ".join(f"{one.name}: {one.why}" for one in left_out))
    return found, left_out


def _kill(variables: Mapping[str, str], scenario: str, each: Here, faults: int) -> Drill | None:
    if not faults or each.target.projector is None:
        return None
    settings = settings_for(KILL, variables, scenario=scenario)
    return Drill(KILL, settings, faults, settings.seed)


def _asked(only: str | None) -> list[Here]:
    """The targets that are asked for, in the order of the table; all that come with us where none is named."""
    known = {each.target.name: each for each in sorted(here.every(), key=_place)}
    if only is None:
        return list(known.values())
    return sorted(_named([name.strip() for name in only.split(",")], known), key=_place)


def _named(names: list[str], known: dict[str, Here]) -> Iterator[Here]:
    if len(set(names)) != len(names):
        raise SetupError("--only", f"{','.join(names)!r} has a name twice", "name each target once")
    for name in names:
        if "/" in name:
            target = reader.load(name)
            yield Here(target, *lacking(target))
        elif name in known:
            yield known[name]
        else:
            close = get_close_matches(name, known, 1)
            raise SetupError("--only", f"there is no target {name!r}", f"say {(close or list(known))[0]}")


def _chosen_by(target: Manifest) -> str:
    """The value of TARGET that chooses it: its name, or its folder where it does not come with us."""
    if target.folder.parent == reader.FOLDER:
        return target.name
    return f"{target.folder}{target.name.removeprefix(target.key)}"


def _place(each: Here) -> tuple[bool, int, str]:
    key = each.target.key
    return (each.target.reference, FIRST.index(key) if key in FIRST else len(FIRST), each.target.name)
