"""The command that runs a repetition of a drill again: fault, strategy, seed, and every setting that was chosen."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bench.drill.repeated import DEFAULTS
from bench.report.sections.conditions import given, same
from bench.report.words import setting_text
from bench.trial import fault
from metrics.records.answers.drills import Drill
from settings import SettingError, catalogue, strategies
from settings.catalogue.load import TARGET
from settings.catalogue.projection import PROJECTORS, SERIAL_PROJECTION, STRATEGY

TASK: Final = ".tools/bin/uv run task"
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_ELSEWHERE: Final = (TARGET.name, STRATEGY.name, SERIAL_PROJECTION.name)
"""Told by the command itself: which target, in which mode, in which order."""


def command(drill: Drill, target: str, *, seed: int, repeat: int = 1) -> str:
    """`target` as its results name it, empty where TARGET need not say it."""
    variables = chosen(drill.get("settings", {}), {**DEFAULTS, **_of_fault(drill)})
    whose = {TARGET.name: called(target, drill.get("path", ""))} if target else {}
    ordering = _ordering(drill["mode"], drill["strategy"])
    asked = f"{shlex.quote(drill['name'])}{ordering} --repeat {repeat} --seed {seed}"
    return line({**variables, **whose}, f"drill -- {asked}")


def called(name: str, path: str) -> str:
    """A target as TARGET takes it: by its name, or by the path of a folder of one's own, a variant behind it."""
    _, colon, variant = name.partition(":")
    return f"{path}{colon}{variant}" if path else name


def chosen(settings: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, str]:
    """By name what is not the default, nor `own`. Of a database elsewhere nothing is told: it is whoever's it is."""
    known = {setting.name: setting for setting in catalogue.every()}
    told = {name: setting_text(value) for name, value in settings.items() if value is not None and name in known}
    return {
        name: text
        for name, text in told.items()
        if name not in _ELSEWHERE and _is_told(name, text) and not same(known[name], text, own)
    }


def line(variables: Mapping[str, str], task: str) -> str:
    """A line for a shell."""
    return " ".join([*(f"{name}={given(name, text)}" for name, text in variables.items()), TASK, task])


def _ordering(mode: str, strategy: str) -> str:
    """A strategy has a mode; of a target that tells none, the mode alone."""
    if strategies.told(strategy):
        return f" --strategy {shlex.quote(strategy)}"
    return " --mode serial" if mode == "serial" else ""


def _of_fault(drill: Drill) -> Mapping[str, str]:
    """Settings that a fault of ours brings; what a stranger's would bring is told as chosen."""
    if drill["name"] not in fault.names():
        return NOTHING
    try:
        return fault.load(drill["name"]).defaults(drill["strategy"])
    except SettingError:
        return NOTHING


def _is_told(name: str, text: str) -> bool:
    """Not what a target has none of, nor an address."""
    none = name == PROJECTORS.name and text == "0"
    return not none and text not in ("embedded", "given") and "://" not in text
