"""The rules of a target as a table for a terminal, what to do about those that do not hold, and a summary of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.oracle.conformance.rule import REQUIRED
from metrics.records.answers.conformance import Checked, Conformance, Found
from settings.catalogue.capabilities import CAPABILITIES

SIGNS: Final = {"held": ("ok", "green"), "broken": ("x", "bold red"), "not checked": ("?", "bold yellow")}
WIDTH: Final = 140
"""What a line needs; where a terminal is narrower it wraps."""
CAME: Final = 64
EXPECTED: Final = 44


def show(console: Console, checked: Checked) -> None:
    """One line a rule that counts, then each that does not hold in full, then the hints and the verdict."""
    form = "short form" if checked["short"] else "whole form"
    console.print(Text(f"{checked['target']} at {checked['base_url']}, {form}", style="bold"), soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for word in ("rule", "", "came", "expected"):
        table.add_column(word, no_wrap=True)
    for part in (REQUIRED, *CAPABILITIES):
        rules = [one for one in checked["rules"] if one["part"] == part and _shown(one, checked)]
        if rules and part != REQUIRED:
            table.add_row(Text(part, style="dim"))
        for one in rules:
            sign, style = SIGNS[one["state"]]
            came, expected = _cut(one["came"], CAME), _cut(one["expected"], EXPECTED)
            table.add_row(one["rule"], Text(sign, style=style), Text(came), Text(expected, style="dim"))
    # A width given to `print` can only make a table narrower.
    width, console.width = console.width, max(console.width, WIDTH)
    console.print(table)
    console.width = width
    for one in checked["rules"]:
        if one["counts"] and one["state"] != "held":
            _tell(console, one)
    for hint in checked["hints"]:
        console.print(Text(f"hint: {hint}", style="cyan"), soft_wrap=True)
    console.print(Text(_verdict(checked), style="bold green" if checked["held"] else "bold red"), soft_wrap=True)


def summary(console: Console, found: Conformance) -> None:
    """One line a target."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for word in ("target", "rules held", "proven", "verdict"):
        table.add_column(word, no_wrap=word in ("target", "rules held"))
    for checked in found["targets"]:
        counted = [rule for rule in checked["rules"] if rule["counts"]]
        held = f"{sum(rule['state'] == 'held' for rule in counted)} of {len(counted)}"
        kept = checked["held"]
        why = checked["why"].partition(": ")[2]
        verdict = Text("keeps the contract" if kept else f"not held: {why}", style="green" if kept else "bold red")
        table.add_row(checked["target"], held, ", ".join(checked["offered"]) or "–", verdict)
    for one in found["failed"]:
        table.add_row(one["target"], "–", "–", Text(f"did not start: {one['why']}", style="bold red"))
    for one in found["left_out"]:
        table.add_row(one["target"], "–", "–", Text(f"left out: {one['why']}", style="yellow"))
    width, console.width = console.width, max(console.width, WIDTH)
    console.print(table)
    console.width = width


def lines(one: Found) -> Sequence[str]:
    """A rule that does not hold, in full."""
    return (
        f"{one['rule']}: {one['says']}",
        f"  sent      {one['sent'] or 'nothing'}",
        f"  came      {one['came']}",
        f"  expected  {one['expected']}",
        f"  to do     {one['remedy']}",
    )


def _tell(console: Console, one: Found) -> None:
    first, *others = lines(one)
    console.print(Text(f"\n{first}", style=SIGNS[one["state"]][1]), soft_wrap=True)
    for line in others:
        console.print(Text(line), soft_wrap=True)


def _shown(one: Found, checked: Checked) -> bool:
    """Capabilities that nobody declared are shown where they are offered."""
    return one["counts"] or (checked["capabilities"] is None and one["part"] in checked["offered"])


def _verdict(checked: Checked) -> str:
    counted = sum(one["counts"] for one in checked["rules"])
    if not checked["held"]:
        return f"does not keep the contract: {checked['why']}"
    declared = ", ".join(checked["offered"]) or "none"
    return f"keeps the contract: {counted} rules hold, in {checked['took_s']:.1f} s; capabilities proven: {declared}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
