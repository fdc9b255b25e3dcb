"""The page of bounds: each row says what the code has, and a bound of the code without a row is found."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from bench import ROOT
from settings import UNSET, catalogue
from settings.catalogue import api, database, projection
from settings.catalogue.kinds import Duration, Integer, Number, Setting
from tests.architecture.house.tree import parsed, paths

PAGE: Final = (ROOT / "docs" / "operation" / "bounds.md").read_text(encoding="utf-8")
UNITS: Final = {"KiB": 1024, "MiB": 2**20}
SETTINGS: Final = {setting.name: setting for setting in catalogue.every()}
BOUNDING: Final = re.compile(r"(MAX|MOST|LARGEST)(_[A-Z]+)*|([A-Z]+_)*TIMEOUT(_S)?")
"""What a constant is called that bounds something that comes from elsewhere."""
COUNTS: Final = {"API_PORT", "API_PROCESSES", "PROJECTORS"}
"""How many there are, and where."""
WHERE: Final = (
    *("services/", "eventstore/", "projection/", "migrations/", "settings/", "todo/"),
    *("bench/oracle/", "bench/platforms/", "bench/ends/", "bench/answers/board/", "bench/drill/", "bench/faults/"),
)


@dataclass(frozen=True)
class Row:
    """One row: its bound in words, the name in its third column, and a part of the source that is named beside it."""

    what: str
    bound: str
    name: str
    part: str

    @property
    def number(self) -> float:
        """The bound as a number, in bytes, or in the unit of its row."""
        found = re.search(r"(?<![`\w])([\d,]+(?:\.\d+)?)(?: (KiB|MiB))?", self.bound)
        assert found, self
        return float(found[1].replace(",", "")) * UNITS.get(found[2] or "", 1)


def rows(page: str) -> Iterator[Row]:
    for line in page.splitlines():
        if found := re.fullmatch(r"\| (.+?) \| (.+?) \| `([\w.]+)`(?:: (.+?))? \| .+ \|", line):
            yield Row(*found.groups(default=""))


ROWS: Final = list(rows(PAGE))


def value(name: str) -> Any:
    """What a dotted name leads to: a constant of a module, or the default of a class's field."""
    module, _, last = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), last)
    except ModuleNotFoundError:
        module, _, kind = module.rpartition(".")
        return getattr(importlib.import_module(module), kind).__dataclass_fields__[last].default


def of_setting(row: Row) -> float:
    setting = SETTINGS[row.name]
    assert isinstance(setting, (Number, Integer, Duration)), row
    return float(setting.high if row.part == "most" else setting.read(UNSET) or 0)


def numbers(row: Row) -> bool:
    """Whether the row says the number that the code has."""
    if row.name in SETTINGS:
        return of_setting(row) == row.number
    if row.part:
        literal = row.part.strip("`")
        module = row.name if _is_module(row.name) else row.name.rpartition(".")[0]
        return literal in inspect.getsource(importlib.import_module(module)) and bool(re.search(r"\d", literal))
    has = value(row.name)
    return float(re.sub(r"[^\d.]", "", has) if isinstance(has, str) else has) == row.number


def _is_module(name: str) -> bool:
    return (ROOT / f"{name.replace('.', '/')}.py").exists()


def bounding(path: str) -> Iterator[str]:
    """The constants of a module that are called as bounds are, with a number."""
    for node in parsed(path).body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        if isinstance(target, ast.Name) and BOUNDING.fullmatch(target.id) and _is_number(node):
            yield f"{path.removesuffix('.py').replace('/', '.')}.{target.id}"


def _is_number(node: ast.AST) -> bool:
    assigned = getattr(node, "value", None)
    return assigned is not None and not any(
        isinstance(part, (ast.Call, ast.Tuple, ast.List)) for part in ast.walk(assigned)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.what}: {row.name}")
def test_a_row_says_what_the_code_has(row: Row) -> None:
    assert numbers(row)


def test_no_row_is_passed_over() -> None:
    told = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what | bound ")]
    assert len(told) == len(ROWS) > 60


def test_every_bound_of_the_code_has_a_row() -> None:
    files = [path for path in paths() if path.endswith(".py") and path.startswith(WHERE)]
    found = {name for path in files for name in bounding(path)}
    assert found - {row.name for row in ROWS} == set()
    assert len(found) > 30


@pytest.mark.parametrize("subject", [api, database, projection])
def test_every_time_and_number_that_can_be_set_has_a_row(subject: Any) -> None:
    kinds = (Number, Duration, Integer)
    bounds = {one.name for one in catalogue.of(subject) if isinstance(one, kinds) and one.name not in COUNTS}
    assert bounds - {row.name for row in ROWS} == set()


@pytest.mark.parametrize(
    "wrong",
    [
        "| body | 33 KiB | `services.api.http.requests.MAX_BODY` | 413 |",
        "| a statement | 1,000 ms | `STORE_TIMEOUT_MS` | 503 |",
        "| back-off | 40 s | `projection.leases.failure`: `least(40` | again |",
    ],
)
def test_a_wrong_row_is_found(wrong: str) -> None:
    (row,) = rows(wrong)
    assert not numbers(row)


def test_a_bound_without_a_row_is_found() -> None:
    assert "services.api.http.requests.MAX_BODY" in set(bounding("services/api/http/requests.py"))
    assert isinstance(SETTINGS["STORE_TIMEOUT_MS"], Setting)
