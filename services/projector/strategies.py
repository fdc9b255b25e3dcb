"""Plug-in loading: the ordering strategy that a projector works by, from its name in settings."""

from __future__ import annotations

from projection.strategy import OrderingStrategy, Tools
from settings import SettingError, plugins
from settings.catalogue.projection import STRATEGY, Strategy


def make(name: Strategy, tools: Tools) -> OrderingStrategy:
    """The strategy, ready to work. Raises SettingError for a module that can not be imported, or is none."""
    module = plugins.load(STRATEGY.name, STRATEGY.package, name)
    try:
        made = module.MAKE
    except AttributeError:
        raise SettingError(STRATEGY.name, name, "a strategy, which says in MAKE how it is made") from None
    strategy: OrderingStrategy = made(tools)
    return strategy
