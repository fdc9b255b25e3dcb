"""The visibility strategies, one file each: `STRATEGY` says what it adds to the table, to an append, and to a read."""

from __future__ import annotations

from typing import Final

from bench.answers.ordering.strategy import Strategy
from bench.ends.errors import SetupError
from settings import plugins

ONLY: Final = "--only"


def load(names: str | None = None) -> dict[str, Strategy]:
    """Strategies by name, controls last: all that come with us, or these; also a module's dotted path.

    Raises SettingError, SetupError with the option's name.
    """
    chosen = plugins.offered(__name__) if names is None else [name.strip() for name in names.split(",")]
    if len(set(chosen)) != len(chosen):
        raise SetupError(ONLY, f"{names!r} has a name twice", "name each once")
    found = {name: _strategy(name) for name in chosen}
    return dict(sorted(found.items(), key=lambda item: item[1].control))


def _strategy(name: str) -> Strategy:
    found = getattr(plugins.load(ONLY, __name__, name), "STRATEGY", None)
    if not isinstance(found, Strategy):
        raise SetupError(ONLY, f"{name} has no STRATEGY", "see bench/answers/ordering/strategy")
    return found
