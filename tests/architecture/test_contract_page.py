"""The contract's page and the suite that proves it are one: each rule of the page is a check, and each check a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bench import ROOT
from bench.oracle.conformance.rule import CAPABILITIES, REQUIRED
from bench.oracle.conformance.rules import RULES

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


def test_a_row_that_is_no_rule_is_found() -> None:
    page = (
        "## Rules: required\n| `create-418` | s | A create is answered with 418. |\n### `brew`\n| `brew-1` | | Tea. |"
    )
    assert list(rows(page)) == [
        Row("create-418", REQUIRED, True, "A create is answered with 418."),
        Row("brew-1", "brew", False, "Tea."),
    ]
