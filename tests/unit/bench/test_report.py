"""The report of a bundle: a sound run shows its numbers, any other none, and nothing in a bundle becomes markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bench.report.report import render
from bench.report.words import milliseconds, seconds, whole
from metrics.records.record import write_json
from metrics.records.result import Correctness, Generator, Verdict
from tests.unit.bench import bundles

# Numbers of the result that stand nowhere else on the page.
NUMBERS = ("432", "988", "4,321", "9,876", "5.50", "12.5", "14.5", "250 ms")
EVIL = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


def text(page: str) -> str:
    """What a reader sees: without scripts, styles and tags."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def numbers(seen: str) -> list[str]:
    """Which of the result's numbers a reader sees."""
    return [number for number in NUMBERS if re.search(rf"(?<![\d,.]){re.escape(number)}(?![\d,.])", seen)]


def test_its_title_is_what_ran_on_which_target_and_how_it_projects_where_that_is_told(tmp_path: Path) -> None:
    ours = text(render(bundles.write(tmp_path)))
    assert "Throughput on tidemark, parallel projection by stream-leases" in ours
    target = {"name": "crud", "version": "1", "class": "documented", "capabilities": []}
    told = {"target": target, "strategy": "not told"}
    theirs = text(render(bundles.write(tmp_path, "theirs", changed=told)))
    assert "Throughput on crud " in theirs
    assert "projection by" not in theirs


def test_a_sound_run_shows_its_numbers_its_proof_and_where_it_was_measured(tmp_path: Path) -> None:
    seen = text(render(bundles.write(tmp_path)))
    assert numbers(seen) == list(NUMBERS)
    assert "5,555 events folded again and 5,432 acknowledged writes read back: no fault." in seen
    for said in ("Abacus 9", "2 cores", "Postgres 18.6", "0123456789", "synchronous_commit", "handler latency 0 ms"):
        assert said in seen


@pytest.mark.parametrize("verdict", ["timed_out", "diverged", "blocked", "invalid"])
def test_a_run_that_is_not_sound_shows_its_reason_and_no_number(verdict: Verdict, tmp_path: Path) -> None:
    seen = text(render(bundles.write(tmp_path, verdict=verdict, why="todo-7 was lost")))
    assert "todo-7 was lost" in seen
    assert "This run gives no results." in seen
    assert numbers(seen) == []


def test_a_converged_run_with_a_fault_shows_no_number(tmp_path: Path) -> None:
    faulty = {"correctness": Correctness(events_checked=5555, lost=1)}
    seen = text(render(bundles.write(tmp_path, changed=faulty)))
    assert numbers(seen) == []
    assert "This run gives no results." in seen


def test_the_test_profile_is_not_published(tmp_path: Path) -> None:
    seen = text(render(bundles.write(tmp_path, profile="test")))
    assert "test profile of Postgres, which a report does not publish" in seen
    assert numbers(seen) == []


@pytest.mark.parametrize(
    "settings", [{"fsync": "off", "synchronous_commit": "on"}, {"fsync": "on", "synchronous_commit": "off"}]
)
def test_a_server_that_loses_writes_is_said_in_the_headline(settings: dict[str, str], tmp_path: Path) -> None:
    assert "not durable" in text(render(bundles.write(tmp_path, postgres=settings)))


def test_several_shards_are_told_and_one_is_not(tmp_path: Path) -> None:
    words = "2 shards: whole stores, each stream in one of them"
    assert words in text(render(bundles.write(tmp_path, "two", variables={"SHARDS": "2"})))
    assert "shards" not in text(render(bundles.write(tmp_path, "one"))).partition("How to read")[0]


def test_the_headline_tells_what_bends_the_numbers(tmp_path: Path) -> None:
    folder = bundles.write(
        tmp_path,
        changed={"generator": Generator(cpu_percent=99, saturated=True)},
        variables={"HANDLER_LATENCY_MS": "5"},
    )
    write_json(folder / "fault.json", bundles.FAULT)
    seen = text(render(folder))
    assert "handler latency 5 ms an event" in seen
    assert "the load generator was saturated" in seen
    assert (
        "in the load phase projector-1 was killed (SIGKILL) with 3 lease(s); its work was taken over after 4.2 s"
        in seen
    )


def test_nothing_in_a_bundle_becomes_markup(tmp_path: Path) -> None:
    folder = bundles.write(
        tmp_path,
        verdict="diverged",
        why=EVIL,
        machine={**bundles.MACHINE, "cpu_model": EVIL},
        postgres={**bundles.DURABLE, EVIL: EVIL},
        changed={"settings": {"VUS": EVIL}},
    )
    phase = {"name": EVIL, "started_at": 1000.0, "ended_at": 1001.0}
    write_json(folder / "loadgen.json", {"phases": [phase], "stages": []})
    write_json(folder / "verification.json", {**bundles.VERIFICATION, "offenders": [EVIL]})
    page = render(folder)
    assert "alert(" in page
    assert "<img" not in page
    assert Scripts(page).count == 2  # the data of the charts, the script that reads them out
    assert Scripts(page).data()["phases"][0]["name"] == EVIL


class Scripts(HTMLParser):
    """The script elements of a page as a browser finds them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.count = 0
        self._texts: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._inside = tag == "script"
        self.count += self._inside

    def handle_data(self, data: str) -> None:
        if self._inside:
            self._texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def data(self) -> dict[str, Any]:
        return dict(json.loads(self._texts[0]))


def test_the_page_needs_no_network(tmp_path: Path) -> None:
    page = render(bundles.write(tmp_path))
    tags = re.sub(r"<script\b.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", tags)
    assert "@import" not in tags
    assert "url(" not in tags


def test_a_bundle_with_a_result_alone_still_has_a_report(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path, verdict="invalid", why="Postgres did not start")
    for path in folder.iterdir():
        if path.name != "result.json":
            path.unlink()
    seen = text(render(folder))
    assert "Postgres did not start" in seen
    assert "machine unknown" in seen


def test_a_report_is_a_pure_function_of_its_bundle(tmp_path: Path) -> None:
    folder = bundles.write(tmp_path)
    assert render(folder) == render(folder)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (whole(0), "0"),
        (whole(3), "3"),
        (whole(3.14), "3.1"),
        (whole(12345.6), "12,346"),
        (milliseconds(0.123), "0.12"),
        (milliseconds(12.34), "12.3"),
        (milliseconds(1234.5), "1,234"),
        (seconds(0.0042), "4 ms"),
        (seconds(61.25), "61.2 s"),
    ],
)
def test_numbers_for_a_reader(told: str, expected: str) -> None:
    assert told == expected
