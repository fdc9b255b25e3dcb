"""The dashboards as tests read them: panels, queries, and what Grafana puts in for its macros and variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "grafana" / "dashboards"
NAMES: Final = ("load.json", "projection-consistency.json")
_SPECIAL: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")

Document = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """One question to InfluxDB, and who asks it."""

    asker: str
    text: str

    def __str__(self) -> str:
        return self.asker


@cache
def document(name: str) -> Document:
    """The dashboard of that file."""
    return dict(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def panels(board: Document) -> list[Document]:
    """All panels, those inside rows too."""
    return [inner for panel in board["panels"] for inner in (panel, *panel.get("panels", []))]


def queries() -> list[Query]:
    """Every query of every panel, variable and annotation of all dashboards."""
    return [Query(f"{name}: {asker}", text) for name in NAMES for asker, text in _queries(document(name))]


def _queries(board: Document) -> Iterator[tuple[str, str]]:
    for panel in panels(board):
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", target["query"]
    for variable in board["templating"]["list"]:
        yield f"variable {variable['name']}", variable["query"]
    for annotation in board["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["target"]["query"]


def filled_in(query: str, *, since_ms: int, until_ms: int, chosen: Mapping[str, Sequence[str]]) -> str:
    """The query as Grafana sends it: the time range, an interval of a second, and the chosen values of the variables.

    No value is All. A value is escaped and several are joined, for use within a regular expression.
    """
    macros = {"timeFilter": f"time >= {since_ms}ms and time <= {until_ms}ms", "__interval": "1s"}
    for name in ("run", "target", "strategy", "scenario"):
        escaped = [_SPECIAL.sub(r"\\\g<0>", value) for value in chosen.get(name, ())]
        macros[name] = ".*" if not escaped else escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
    return re.sub(r"\$(\w+)", lambda match: macros[match[1]], query)
