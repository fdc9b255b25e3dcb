"""Thresholds on any figure of a result: `--require "visibility_ms.p99<50"`, names checked before anything starts."""

from __future__ import annotations

import dataclasses
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from statistics import median
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints, is_typeddict

from bench.bundle.figures import figure
from bench.ends.errors import SetupError
from metrics.records.answers.gate import Required
from metrics.records.result import Result

OPTION: Final = "--require"
OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_SPELLED: Final = re.compile(r"\s*([A-Za-z0-9_.]+)\s*(<=|>=|==|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*")
_SHAPE: Final = f'{OPTION} "visibility_ms.p99<50"'


@dataclass(frozen=True)
class Requirement:
    """One threshold, such as `visibility_ms.p99 < 50`."""

    path: str
    sign: str
    bound: float

    @property
    def said(self) -> str:
        """As it is told."""
        return f"{self.path} {self.sign} {self.bound:g}"

    def judge(self, results: Sequence[Result]) -> Required:
        """By the median of the trials. A figure that a trial does not tell does not hold."""
        found = [figure(result, self.path) for result in results]
        values = [one.value for one in found if one.value is not None]
        if not values or len(values) < len(found):
            why = next((one.why for one in found if one.value is None and one.why), "")
            return {"said": self.said, "value": None, "holds": False, "because": f"not told{f': {why}' * bool(why)}"}
        value = median(values)
        holds = OPERATORS[self.sign](value, self.bound)
        return {"said": self.said, "value": value, "holds": holds, "because": "" if holds else f"it is {value:g}"}


def requirements(spelled: Sequence[str]) -> list[Requirement]:
    """Read them. Raises SetupError for one that is no threshold, or names no figure of a result."""
    return [_requirement(one) for one in spelled]


def _requirement(spelled: str) -> Requirement:
    match = _SPELLED.fullmatch(spelled)
    if match is None:
        raise SetupError(OPTION, f"{spelled!r} is no threshold", f"say e.g. {_SHAPE}")
    path, sign, bound = match.groups()
    known = figures()
    if not any(re.fullmatch(each.replace(".", r"\.").replace("*", "[^.]+"), path) for each in known):
        near = get_close_matches(path, known, 3, 0.5) or [each for each in known if path.split(".")[0] in each][:3]
        raise SetupError(OPTION, f"a result has no figure {path}", f"say {' or '.join(near) or 'e.g. ' + _SHAPE}")
    return Requirement(path, sign, float(bound))


def line(required: Required) -> str:
    """For people."""
    value = required["value"]
    told = "holds" if required["holds"] else "does not hold"
    return f"required {required['said']}: {told}, {required['because'] or f'it is {value:g}'}"


def figures() -> list[str]:
    """The paths of all numbers of a result; `*` stands for any name."""
    return list(_figures(Result, ""))


def _figures(kind: Any, path: str) -> Sequence[str]:
    parts = [part for part in get_args(kind) if part is not NoneType]
    if kind in (int, float, bool):
        return [path]
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        hints = get_type_hints(kind)
        return [found for name, hint in hints.items() for found in _figures(hint, f"{path}.{name}".lstrip("."))]
    if get_origin(kind) is dict:
        return _figures(parts[1], f"{path}.*")
    if get_origin(kind) in (list, tuple) or not parts:
        return []
    return [found for part in parts for found in _figures(part, path)]
