"""Commands that repeat a sitting of targets and its drills: one for each row, with what is not as it comes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from bench.drill.repeated import DEFAULTS
from bench.report.sections.conditions import given, of_scenario, same
from bench.report.words import setting_text
from bench.trial import fault
from metrics.records.answers.drills import Drill
from metrics.records.answers.targets import Row, Targets
from settings import SettingError, catalogue, strategies
from settings.catalogue.load import TARGET
from settings.catalogue.projection import PROJECTORS, SERIAL_PROJECTION, STRATEGY
from settings.strategies import IN_PARALLEL, IN_SERIAL

TASK: Final = ".tools/bin/uv run task"
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_ELSEWHERE: Final = (TARGET.name, STRATEGY.name, SERIAL_PROJECTION.name)
"""Told by the command itself: which target, in which mode, in which order."""


def commands(document: Targets, drilled: Sequence[tuple[str, Drill]]) -> str:
    """The block: check out, install, the sitting, each row once, each drill."""
    return "\n".join(["```sh", *_lines(document, drilled), "```"])


def chosen(document: Targets) -> dict[str, str]:
    """Settings of the sitting that are not as they come, or as its scenario has them."""
    return _chosen(document["settings"], of_scenario(document["scenario"]))


def _lines(document: Targets, drilled: Sequence[tuple[str, Drill]]) -> Iterator[str]:
    rows = document["rows"]
    if revision := document["versions"].get("revision"):
        yield f"git checkout {shlex.quote(revision)}"
    own = {*(row.get("path", "") for row in rows), *(drill.get("path", "") for _, drill in drilled)} - {""}
    for path in sorted(own):
        yield f"# {shlex.quote(path)}: a target of one's own; say where its folder is"
    yield f"{TASK} targets:install"
    load = chosen(document)
    names = shlex.quote(",".join(called(row["name"], row.get("path", "")) for row in rows))
    sitting = f"bench:targets -- --rounds {document['rounds']} --only {names}"
    faults = document.get("faults", 1)
    yield _line({**load, **_of_all(rows)}, sitting if faults == 1 else f"{sitting} --faults {faults}")
    for row in rows:
        mode = row.get("mode", "parallel")
        variables = {
            **load,
            TARGET.name: called(row["name"], row.get("path", "")),
            **_ordering(mode, row.get("strategy", "")),
        }
        yield f"{_line(variables, f'bench:{mode}')}   # one row, once"
    for name, drill in drilled:
        yield _drill(name, drill)


def _drill(name: str, drill: Drill) -> str:
    own = {**DEFAULTS, **_of_fault(drill)}
    target = {TARGET.name: called(name, drill.get("path", ""))} if name else {}
    variables = {**_chosen(drill.get("settings", {}), own), **target, **_ordering(drill["mode"], drill["strategy"])}
    mode = " --mode serial" if drill["mode"] == "serial" else ""
    asked = f"--repeat {drill['wanted']} --seed {min(drill['seeds'] or [1])}{mode}"
    return _line(variables, f"drill -- {shlex.quote(drill['name'])} {asked}")


def _of_fault(drill: Drill) -> Mapping[str, str]:
    """Settings that a fault of ours brings; what a stranger's would bring is told as chosen."""
    if drill["name"] not in fault.names():
        return NOTHING
    try:
        return fault.load(drill["name"]).defaults(drill["strategy"])
    except SettingError:
        return NOTHING


def called(name: str, path: str) -> str:
    """A target as TARGET takes it: by its name, or by the path of a folder of one's own, a variant behind it."""
    _, colon, variant = name.partition(":")
    return f"{path}{colon}{variant}" if path else name


def _ordering(mode: str, strategy: str) -> dict[str, str]:
    """STRATEGY, where it is not that of the mode."""
    usual = IN_SERIAL if mode == "serial" else IN_PARALLEL
    return {} if strategies.told(strategy) in ("", usual) else {STRATEGY.name: strategy}


def _of_all(rows: Sequence[Row]) -> dict[str, str]:
    """What a whole sitting is told of mode and order: ours alone has an order, and a mode is that of every row."""
    serial = bool(rows) and all(row.get("mode") == "serial" for row in rows)
    told = {SERIAL_PROJECTION.name: "true"} if serial else {}
    for row in rows:
        told |= _ordering(row.get("mode", "parallel"), row.get("strategy", ""))
    return told


def _chosen(settings: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, str]:
    """By name what is not the default, nor `own`. Of a database elsewhere nothing is told: it is whoever's it is."""
    known = {setting.name: setting for setting in catalogue.every()}
    told = {name: setting_text(value) for name, value in settings.items() if value is not None and name in known}
    return {
        name: text
        for name, text in told.items()
        if name not in _ELSEWHERE and _is_told(name, text) and not same(known[name], text, own)
    }


def _is_told(name: str, text: str) -> bool:
    """Not what a target has none of, nor an address."""
    none = name == PROJECTORS.name and text == "0"
    return not none and text not in ("embedded", "given") and "://" not in text


def _line(variables: Mapping[str, str], task: str) -> str:
    return " ".join([*(f"{name}={given(name, text)}" for name, text in variables.items()), TASK, task])
