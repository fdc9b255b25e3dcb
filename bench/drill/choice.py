"""What is drilled: which faults, and each under which strategies, as the command line and the environment say."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.drill.repeated import DEFAULTS, Drill, settings_for
from bench.platforms.choice import changeable
from bench.preflight.settings import Settings
from bench.trial import fault
from bench.trial.fault import load, names, require_shards
from metrics.records.answers.drills import NotApplicable
from settings import Environment, SettingError, strategies
from settings.catalogue.database import SHARDS
from settings.catalogue.projection import SERIAL_PROJECTION, STRATEGY, Strategy
from settings.targets.manifest import Manifest

MOST: Final = 1000
EVERY: Final = "all"


@dataclass(frozen=True)
class Choice:
    """The drills in their order, and what does not apply by its settings alone. `named`: the faults were asked for."""

    drills: list[Drill]
    not_applicable: list[NotApplicable]
    target: Manifest
    named: bool


def choose(arguments: argparse.Namespace, variables: Mapping[str, str]) -> Choice:
    """Each fault under each strategy. Raises SettingError for whatever can not be used.

    Without a name every fault there is, under every strategy, unless something narrows them; a fault that is named runs
    under the strategy of a run.
    """
    repeat = Environment({"--repeat": str(arguments.repeat)}).integer("--repeat", 1, low=1, high=MOST)
    base, ordered = _strategies(arguments, variables)
    told = {} if arguments.seed is None else {"--seed": str(arguments.seed)}
    seed = Environment(told).integer("--seed", base.seed, low=0, high=2**31)
    drills: list[Drill] = []
    without: list[NotApplicable] = []
    for name in arguments.faults or names():
        for strategy in ordered:
            try:
                settings = settings_for(name, _under(strategy, variables), mode=arguments.mode)
                require_shards(name, load(name), settings)
            except (SettingError, fault.NotApplicable) as error:
                if error.name == SHARDS.name:
                    alone = bool(arguments.faults)
                else:
                    alone = bool(arguments.strategy) or len(ordered) == 1 or error.name != STRATEGY.name
                if alone:
                    raise
                without.append({"name": name, "strategy": strategy or base.strategy, "why": str(error)})
            else:
                drills.append(Drill(name, settings, repeat, seed))
    return Choice(drills, without, base.target, named=bool(arguments.faults))


def _strategies(
    arguments: argparse.Namespace, variables: Mapping[str, str]
) -> tuple[Settings, Sequence[Strategy | None]]:
    """The settings of a run that is told no more, and the strategies to drill; None: as these settings have it."""
    asked = list(_asked(arguments.strategy))
    every = EVERY in asked
    known = _without_order(variables) if every else _under(asked[0] if asked else None, variables)
    base = Settings.from_env(known, mode=arguments.mode, defaults=DEFAULTS)
    if asked and not every:
        return base, asked
    env = Environment(known)
    alone = not base.target.ours or not changeable(base) or STRATEGY.optional(env) is not None
    if alone or (arguments.faults and not every):
        return base, [None]
    narrowed = arguments.mode is not None or SERIAL_PROJECTION.given(env, SERIAL_PROJECTION.read) is not None
    serial = base.mode == "serial"
    return base, [one for one in strategies.offered() if not narrowed or strategies.is_serial(one) == serial]


def _asked(words: Sequence[str] | None) -> Iterator[Strategy]:
    """Names behind `--strategy`, each once."""
    said = (name.strip() for word in words or () for name in word.split(","))
    yield from dict.fromkeys(filter(None, said))


def _under(strategy: Strategy | None, variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables of one strategy, which has a mode of its own."""
    return variables if strategy is None else {**_without_order(variables), STRATEGY.name: strategy}


def _without_order(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in (SERIAL_PROJECTION.name, STRATEGY.name)}
