"""The documents of `task target:check`: what is told of many targets, of one that does not start, of one not here."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.answers.conformance import command, page
from bench.answers.conformance.command import Answer
from bench.answers.conformance.document import build, headline
from bench.answers.conformance.table import show, summary
from bench.ends.errors import RunFailed
from bench.platforms.targets import here
from bench.platforms.targets.here import Here
from bench.preflight.settings import Settings
from metrics.records.answers.conformance import Checked, Found
from settings.targets import reader

BROKEN: Found = {
    "rule": "page-order",
    "part": "required",
    "says": "Ids strictly increase.",
    "counts": True,
    "state": "broken",
    "sent": "GET /todos?limit=3",
    "came": "b after <script>a</script>",
    "expected": "ids that strictly increase",
    "remedy": "order by the id",
    "seconds": 0.1,
}
HELD: Found = {**BROKEN, "rule": "ready-200", "state": "held", "came": "200", "remedy": ""}
OFFERED: Found = {**HELD, "rule": "drain-202", "part": "drain", "counts": False}


def checked(*rules: Found, target: str = "mine") -> Checked:
    wrong = [one["rule"] for one in rules if one["counts"] and one["state"] != "held"]
    return {
        "target": target,
        "base_url": "http://127.0.0.1:1",
        "capabilities": [],
        "offered": ["drain"],
        "short": False,
        "held": not wrong,
        "why": f"{len(wrong)} of {len(rules)} rules do not hold: {', '.join(wrong)}" if wrong else "",
        "hints": ["drain works and is not declared"],
        "took_s": 0.5,
        "rules": list(rules),
    }


def printed(act: object, *given: object) -> str:
    console = Console(file=io.StringIO(), width=200)
    act(console, *given)  # type: ignore[operator]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_one_target_is_told_by_its_rules() -> None:
    assert headline(build("id", [checked(HELD, OFFERED)])) == "mine keeps the contract: 1 rules hold"
    found = build("id", [checked(HELD, BROKEN)])
    assert not found["held"]
    assert headline(found) == "mine: 1 of 2 rules do not hold: page-order"


def test_what_does_not_hold_is_told_in_full_and_what_is_not_declared_is_a_hint() -> None:
    told = printed(show, checked(HELD, BROKEN, OFFERED))
    for words in ("ready-200", "sent      GET /todos?limit=3", "to do     order by the id", "hint: drain works"):
        assert words in told
    assert "drain-202" not in told


def test_one_that_is_not_installed_is_left_out_and_one_that_does_not_start_is_none_that_holds() -> None:
    left_out = [{"target": "act", "why": "there is no Node here; install it"}]
    found = build("id", [checked(HELD), checked(BROKEN, target="other")], left_out=left_out)  # type: ignore[arg-type]
    told = printed(summary, found)
    for words in ("mine", "keeps the contract", "other", "page-order", "left out: there is no Node here"):
        assert words in told
    assert headline(found) == "1 of 2 targets keep the contract"
    assert build("id", [checked(HELD)], left_out=left_out)["held"]  # type: ignore[arg-type]
    failed = build("id", [checked(HELD)], failed=left_out)  # type: ignore[arg-type]
    assert not failed["held"]
    assert "did not start: there is no Node here" in printed(summary, failed)
    assert not build("id", [])["held"]


def test_the_page_shows_what_came_and_runs_none_of_it() -> None:
    told = page.render(build("id", [checked(HELD, BROKEN)], [{"target": "act", "why": "gone"}]))
    assert "&lt;script&gt;a&lt;/script&gt;" in told
    assert "<script>a" not in told
    assert "act did not start: gone" in told


def test_all_targets_are_checked_though_one_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    crud, empty = reader.load("crud"), reader.load("empty")
    away = Here(reader.load("tidemark"), "is not installed", "install it")
    monkeypatch.setattr(here, "every", lambda: iter([away, Here(crud), Here(empty)]))

    def one(settings: Settings, answer: Answer, _: Console, *, short: bool) -> None:
        if settings.target.name == "crud":
            raise RunFailed("the API ended with exit code 1", "no such module")
        answer.checked.append(checked(HELD, target=f"{settings.target.name} {short}"))

    monkeypatch.setattr(command, "_one", one)
    answer = Answer(tmp_path)
    told = printed(lambda console: command._all(answer, console, short=True))
    assert "crud: the API ended with exit code 1\nno such module" in told
    assert [one["target"] for one in answer.checked] == ["empty True"]
    assert answer.failed == [{"target": "crud", "why": "the API ended with exit code 1"}]
    assert answer.left_out == [{"target": "tidemark", "why": "is not installed; install it"}]
