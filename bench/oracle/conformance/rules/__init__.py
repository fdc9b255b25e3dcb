"""The rules in the order of the contract's page, a module a subject; those of one module are found by being there."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from bench.oracle.conformance.rule import REQUIRED, Rule
from bench.oracle.conformance.rules import conditions, counts, events, options, pages, reads, refusals, writes
from settings.catalogue.capabilities import CAPABILITIES


def _of(module: ModuleType) -> list[Rule]:
    return [value for value in vars(module).values() if isinstance(value, Rule)]


PARTS: Final = (REQUIRED, *CAPABILITIES)
MODULES: Final = (writes, reads, pages, counts, refusals, events, options, conditions)
RULES: Final[tuple[Rule, ...]] = tuple(
    sorted((found for module in MODULES for found in _of(module)), key=lambda found: PARTS.index(found.part))
)
