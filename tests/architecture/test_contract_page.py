"""The contract's page and the suite that proves it are one: each rule of the page is a check, and each check a rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench import ROOT
from bench.oracle.conformance.rule import REQUIRED
from bench.oracle.conformance.rules import RULES
from settings.catalogue.capabilities import CAPABILITIES, FIGURES

PAGE = ROOT / "targets" / "CONTRACT.md"


class Row(NamedTuple):
    """A rule as the page has it."""

    name: str
    part: str
    short: bool
    says: str


def rows(page: str) -> Iterator[Row]:
    """The rules of a page in their order, each of the part under whose heading it stands."""
    part = ""
    for line in page.splitlines():
        if line == "## Rules: required":
            part = REQUIRED
        elif found := re.fullmatch(r"### `([a-z-]+)`", line):
            part = found[1]
        elif found := re.fullmatch(r"\| `([a-z0-9-]+)` \| (s )?\| (.+) \|", line):
            yield Row(found[1], part, bool(found[2]), found[3])


def sources() -> Iterator[Path]:
    """The project's own Python, without its tests and its examples."""
    apart = {"tests", "docs", "targets"}
    for folder in (path for path in ROOT.iterdir() if path.is_dir() and path.name.isidentifier()):
        if folder.name not in apart:
            yield from folder.rglob("*.py")


def lists(source: str, names: tuple[str, ...]) -> Iterator[ast.expr]:
    """Literals of a tuple, list or set, in which all of the names are."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            told = {one.value for one in node.elts if isinstance(one, ast.Constant)}
            if told >= set(names):
                yield node


def test_each_rule_of_the_page_is_a_check_and_each_check_a_rule_of_the_page() -> None:
    told = list(rows(PAGE.read_text(encoding="utf-8")))
    assert [row.name for row in told] == [rule.name for rule in RULES]
    assert told == [Row(rule.name, rule.part, rule.short, rule.says) for rule in RULES]


def test_every_capability_has_rules_and_one_in_the_short_form() -> None:
    for part in (REQUIRED, *CAPABILITIES):
        assert [rule for rule in RULES if rule.part == part and rule.short], part
    assert {rule.part for rule in RULES} == {REQUIRED, *CAPABILITIES}


def test_every_rule_says_what_is_expected_and_what_to_do() -> None:
    for rule in RULES:
        assert rule.says.endswith((".", "null.")), rule.name
        assert rule.expected, rule.name
        assert rule.remedy, rule.name


def test_the_calls_of_the_page_have_each_capability_and_the_figures_of_stats() -> None:
    calls = re.findall(r"^\| (.+) \| (.+) \| (required|`[a-z-]+`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [part.strip("`") for *_, part in calls if part != REQUIRED] == list(CAPABILITIES)
    (told,) = [re.findall(r'"(\w+)"', answer) for call, answer, part in calls if call == "`GET /stats`"]
    assert tuple(told) == FIGURES


@pytest.mark.parametrize("names", [CAPABILITIES, FIGURES], ids=["capabilities", "figures"])
def test_the_names_of_the_contract_are_listed_once(names: tuple[str, ...]) -> None:
    listed = [path for path in sources() for _ in lists(path.read_text(encoding="utf-8"), names)]
    assert listed == [ROOT / "settings" / "catalogue" / "capabilities.py"]


def test_a_second_list_of_names_is_found() -> None:
    assert len(list(lists('A = ("a", "b")\nB = ["b", "a", "c"]\nC = ("a",)\nD = Literal["a", "b"]', ("a", "b")))) == 3


def test_a_row_that_is_no_rule_is_found() -> None:
    page = (
        "## Rules: required\n| `create-418` | s | A create is answered with 418. |\n### `brew`\n| `brew-1` | | Tea. |"
    )
    assert list(rows(page)) == [
        Row("create-418", REQUIRED, True, "A create is answered with 418."),
        Row("brew-1", "brew", False, "Tea."),
    ]
