"""Arms of this revision that differ in their settings: any variables, modes, or numbers of projectors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from bench.compare.arms.arm import apart
from bench.ends.errors import SetupError
from bench.platforms.choice import changeable, require
from bench.preflight.settings import Settings
from bench.report.progress import progress
from bench.trial import runner
from settings import Environment, catalogue
from settings.catalogue.load import TARGET
from settings.hiding import shown
from settings.targets.document import Mode

# Short, so that five pairs take about five minutes. A variable that is set wins.
DEFAULTS: Final[Mapping[str, str]] = {"DURATION": "8s", "WARMUP": "2s"}
AS_IT_IS: Final = "as it is"


@dataclass(frozen=True)
class Here:
    """This revision, in this process."""

    name: str
    settings: Settings

    def run(self, results: Path, number: int, title: str, console: Console) -> Path:
        """Run one trial, and say what its bundle lacks."""
        with progress(console, title) as told:
            ended = runner.run(runner.Trial(self.settings, results, number=number), told)
        folder: Path = ended.bundle.folder
        for name, reason in ended.bundle.missing.items():
            console.print(Text(f"missing {folder / name}: {reason}"), soft_wrap=True)
        if ended.cause is not None:
            console.print(Text(f"{title}: {ended.result.why}; {folder}"), soft_wrap=True)
        ended.tell()
        return folder


def ambient() -> dict[str, str]:
    """The variables of a trial: those that are set, and short phases where they are not."""
    return {**DEFAULTS, **{name: value for name, value in os.environ.items() if value.strip()}}


def of_modes(scenario: str) -> list[Here]:
    """Serial against parallel."""
    modes: Any = ("serial", "parallel")
    return _changeable([Here(mode, Settings.from_env(ambient(), scenario=scenario, mode=mode)) for mode in modes])


def of_projectors(counts: str, scenario: str, mode: Mode | None) -> list[Here]:
    """Numbers of projectors, e.g. `1,2,4`. Raises SettingError, SetupError."""
    base = Settings.from_env(ambient(), scenario=scenario, mode=mode)
    numbers = [
        Environment({"--projectors": number}).integer("--projectors", None, low=1, high=64)
        for number in counts.split(",")
    ]
    if len(set(numbers)) != len(numbers) or len(numbers) < 2:
        raise SetupError("--projectors", f"{counts!r} is no list of different numbers", "say e.g. 1,2,4")
    arms = [base.with_projectors(number, name="--projectors") for number in numbers]
    return _changeable([Here(f"PROJECTORS={arm.projectors}", arm) for arm in arms])


def of_variables(arms: Sequence[Sequence[str]], scenario: str, mode: Mode | None) -> list[Here]:
    """Any settings: a list of VARIABLE=value for each arm, an empty one for what is set anyway.

    Raises SetupError for a single arm, and for a word that is no setting; SettingError.
    """
    if len(arms) < 2:
        raise SetupError("--arm", "one arm is no comparison", "say it twice: --arm HANDLER=set --arm HANDLER=each")
    told = [dict(_assignment(word) for word in arm) for arm in arms]
    names = [" ".join(f"{name}={shown(name, value)}" for name, value in arm.items()) or AS_IT_IS for arm in told]
    return _changeable(
        [
            Here(name, Settings.from_env({**ambient(), **arm}, scenario=scenario, mode=mode))
            for name, arm in zip(apart(names), told, strict=True)
        ]
    )


def _assignment(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise SetupError("--arm", f"{word!r} sets nothing", "say VARIABLE=value")
    known = [setting.name for setting in catalogue.every() if "bench" in setting.readers or setting.passes_the_bench]
    if name not in known:
        close = get_close_matches(name, known, 1)
        raise SetupError("--arm", f"{name} is no setting of a run", f"say {close[0]}" if close else "see .env.example")
    return name, value


def naming_targets(arms: Sequence[Sequence[str]] | None) -> bool:
    """Whether arms are different targets: then each is started for its trials, ours as the others."""
    return any(word.startswith(f"{TARGET.name}=") for arm in arms or () for word in arm)


def _changeable(arms: list[Here]) -> list[Here]:
    for arm in arms:
        require(arm.settings)
    if not all(changeable(arm.settings) for arm in arms):
        raise SetupError(
            "BASE_URL",
            "the trials of a comparison differ in mode or projectors, and that system is as it is",
            "unset it, or run the system once in each mode and compare the bundles",
        )
    return arms
