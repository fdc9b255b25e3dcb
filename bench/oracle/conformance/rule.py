"""A rule of the contract as a check: a function that sends requests, and says what it saw or raises."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bench.oracle.conformance.client import Seen
from bench.oracle.conformance.subject import Subject

REQUIRED: Final = "required"

Turn = Literal["beside", "alone", "last"]
"""Beside others; alone, as it compares counts; or last, as it judges what the others were answered with."""


@dataclass(frozen=True)
class Rule:
    """A check. `says` is the sentence of the contract's page, `part` "required" or a capability."""

    name: str
    says: str
    expected: str
    remedy: str
    part: str
    short: bool
    turn: Turn
    act: Callable[[Subject], Seen]


def rule(
    expected: str, remedy: str, *, part: str = REQUIRED, short: bool = False, turn: Turn = "beside"
) -> Callable[[Callable[[Subject], Seen]], Rule]:
    """Make a function a rule: its name with dashes is the rule's, its docstring what the contract says.

    The function raises Broken where the rule does not hold, Unmet where it can not tell.
    """

    def made(act: Callable[[Subject], Seen]) -> Rule:
        says = " ".join((inspect.getdoc(act) or "").split())
        return Rule(act.__name__.replace("_", "-"), says, expected, remedy, part, short, turn, act)

    return made
