"""Plug-in loading: the ordering strategy that a projector works by, from its name in settings."""

from __future__ import annotations

from collections.abc import Callable

from projection.strategy import OrderingStrategy, Tools
from settings import SettingError, plugins
from settings.catalogue.projection import STRATEGY, Strategy


def maker(name: Strategy) -> Callable[[Tools], OrderingStrategy]:
    """What makes the strategy. Raises SettingError for a module that can not be imported, or is none."""
    made: Callable[[Tools], OrderingStrategy] | None = getattr(
        plugins.load(STRATEGY.name, STRATEGY.package, name), "MAKE", None
    )
    if not callable(made):
        raise SettingError(STRATEGY.name, name, "a strategy, which says in MAKE how it is made")
    return made


def make(name: Strategy, tools: Tools) -> OrderingStrategy:
    """The strategy, ready to work. Raises SettingError as `maker`, and where it can not be made."""
    made = maker(name)
    with plugins.refused(STRATEGY.name, name, "a strategy that can be made"):
        return made(tools)
