"""Rules of a scenario that its schema can not say: how phases, mixes and settings must fit together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from settings.catalogue.load import SKEW
from settings.environment import SettingError
from settings.scenarios.document import Load, Mix, Warmup
from settings.scenarios.errors import BadScenario
from settings.scenarios.scenario import Scenario

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


def check(scenario: Scenario, path: Path) -> None:
    """Raise BadScenario with the place of the first part that does not fit."""
    _check_phases(scenario, path)
    _check_mixes(scenario, path)
    if "RATE" in scenario.settings and not scenario.open_loop:
        problem = "$.settings.RATE: a scenario with stages of users or with a sequence is a closed loop"
        raise BadScenario(path, problem, "leave RATE out, or the stages and sequences")
    if float(scenario.settings.get(SKEW.name, 0)) > 0 and not scenario.skewable:
        problem = "$.settings.SKEW: no mix has updates that its writers draw"
        raise BadScenario(path, problem, "leave SKEW out, or add `update` to the `writes` of a mix")


def check_skew(share: float, scenario: Scenario) -> None:
    """Raise SettingError for a SKEW that would change nothing."""
    if share > 0 and not scenario.skewable:
        expected = f"0 or no value with scenario {scenario.name}: none of its writers draws updates"
        raise SettingError(SKEW.name, SKEW.spell(share), expected)


def _check_phases(scenario: Scenario, path: Path) -> None:
    if not any(isinstance(phase, Load) for phase in scenario.phases):
        raise BadScenario(path, "$.phases: nothing is measured", 'add a phase that is named "load"')
    for number, phase in enumerate(scenario.phases):
        place = f"$.phases[{number}]"
        if isinstance(phase, Warmup) and phase.seconds is None and number > 0:
            problem = f"{place}: only the first phase can last WARMUP"
            raise BadScenario(path, problem, "say its `seconds`")
        if isinstance(phase, Warmup) and phase.seconds is not None and phase.at_least_seconds:
            raise BadScenario(path, f"{place}: `at_least_seconds` has no meaning beside `seconds`", "leave out one")
        if phase.mix not in scenario.mixes:
            problem = f"{place}.mix: there is no mix {phase.mix!r}"
            raise BadScenario(path, problem, f"name one of {', '.join(scenario.mixes)}, or add it")
        _check_users(phase, scenario.mixes[phase.mix], place, path)


def _check_users(phase: Warmup | Load, mix: Mix, place: str, path: Path) -> None:
    """Writers need something to write, readers something to read."""
    if phase.writers != 0 and not (mix.writes or mix.sequence):
        problem = f"{place}: its writers have nothing to write in mix {phase.mix!r}"
        raise BadScenario(path, problem, "add `writes` or a `sequence`, or say `writers = 0`")
    if phase.writers != 1 and not mix.reads:
        problem = f"{place}: its readers have nothing to read in mix {phase.mix!r}"
        raise BadScenario(path, problem, "add `reads`, or say `writers = 1`")


def _check_mixes(scenario: Scenario, path: Path) -> None:
    used = {phase.mix for phase in scenario.phases}
    for name, mix in scenario.mixes.items():
        place = f"$.mixes.{name}"
        if not _NAME.fullmatch(name):
            raise BadScenario(path, f"$.mixes: {name!r} is no name", "use small letters, digits and dashes")
        if name not in used:
            raise BadScenario(path, f"{place}: no phase has it", "name it in a phase, or leave it out")
        if mix.writes and mix.sequence:
            raise BadScenario(path, f"{place}: `writes` and a `sequence` at once", "leave out one")
        if mix.sequence and not _is_sequence(mix):
            problem = f"{place}.sequence: it can not be carried out on one todo"
            raise BadScenario(path, problem, 'begin with "create", then any "update", then at most one "delete"')


def _is_sequence(mix: Mix) -> bool:
    first, *others = mix.sequence
    return first == "create" and "create" not in others and "delete" not in others[:-1]
