"""Commands that repeat a sitting of targets and its drills: one for each row, with what is not as it comes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from bench.drill import replay
from bench.drill.replay import called, line
from bench.report.sections.conditions import of_scenario
from metrics.records.answers.drills import Drill
from metrics.records.answers.targets import Row, Targets
from settings import strategies
from settings.catalogue.load import TARGET
from settings.catalogue.projection import SERIAL_PROJECTION, STRATEGY
from settings.strategies import IN_PARALLEL, IN_SERIAL


def commands(document: Targets, drilled: Sequence[tuple[str, Drill]]) -> str:
    """The block: check out, install, the sitting, each row once, each drill."""
    return "\n".join(["```sh", *_lines(document, drilled), "```"])


def chosen(document: Targets) -> dict[str, str]:
    """Settings of the sitting that are not as they come, or as its scenario has them."""
    return replay.chosen(document["settings"], of_scenario(document["scenario"]))


def _lines(document: Targets, drilled: Sequence[tuple[str, Drill]]) -> Iterator[str]:
    rows = document["rows"]
    if revision := document["versions"].get("revision"):
        yield f"git checkout {shlex.quote(revision)}"
    own = {*(row.get("path", "") for row in rows), *(drill.get("path", "") for _, drill in drilled)} - {""}
    for path in sorted(own):
        yield f"# {shlex.quote(path)}: a target of one's own; say where its folder is"
    yield f"{replay.TASK} targets:install"
    load = chosen(document)
    names = shlex.quote(",".join(called(row["name"], row.get("path", "")) for row in rows))
    sitting = f"bench:targets -- --rounds {document['rounds']} --only {names}"
    faults = document.get("faults", 1)
    yield line({**load, **_of_all(rows)}, sitting if faults == 1 else f"{sitting} --faults {faults}")
    for row in rows:
        mode = row.get("mode", "parallel")
        variables = {
            **load,
            TARGET.name: called(row["name"], row.get("path", "")),
            **_ordering(mode, row.get("strategy", "")),
        }
        yield f"{line(variables, f'bench:{mode}')}   # one row, once"
    for name, drill in drilled:
        yield replay.command(drill, name, seed=min(drill["seeds"], default=1), repeat=drill["wanted"])


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
