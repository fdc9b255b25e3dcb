"""The catalogue of settings: every environment variable once, and who reads it.

One module a subject; an entry is a constant of its module, named as the variable. `.env.example`, README's table and
what compose.yaml passes on are written from it (`task docs`), and a child's environment is made from its readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Final

from settings.catalogue import api, database, influx, load, observation, projection, stack
from settings.catalogue.kinds import Reader, Setting, StackSecret

SUBJECTS: Final[tuple[ModuleType, ...]] = (stack, load, projection, api, database, influx, observation)
"""In the order in which people are shown them."""


def of(subject: ModuleType) -> Iterator[Setting]:
    """The settings of one subject, in its order."""
    return (value for value in vars(subject).values() if isinstance(value, Setting))


def every() -> Iterator[Setting]:
    """Every setting."""
    return (setting for subject in SUBJECTS for setting in of(subject))


def names(reader: Reader) -> tuple[str, ...]:
    """The variables that this process reads: what a child of its kind is given of the environment."""
    return tuple(setting.name for setting in every() if reader in setting.readers)


def stack_secrets() -> Iterator[StackSecret]:
    """The secrets without which compose.yaml starts nothing."""
    return (setting for setting in every() if isinstance(setting, StackSecret))
