"""What every page owes to whoever reads it by keyboard, by ear, in the dark, on a phone, on paper or offline."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bench.answers.board import page as boards
from bench.answers.board.rows import tables
from bench.answers.gate import page as gates
from bench.answers.gate.judge import Bounds, against_file
from bench.drill import page as drills
from bench.report.page import TEMPLATES
from bench.report.report import render
from metrics.records.answers import gate
from tests.unit.bench import bundles
from tests.unit.bench import test_soak as soaks
from tests.unit.bench.drills import built, drilled, repetition
from tests.unit.bench.test_compare_bundles import pairs, run
from tests.unit.board import halves
from tests.unit.capacity import test_command as capacity
from tests.unit.capacity import test_crossover as crossover
from tests.unit.ordering import test_command as ordering
from tests.unit.report.bundle import full

CSS = (TEMPLATES / "page.css").read_text(encoding="utf-8")
VOID = {"meta", "rect", "path", "br", "link", "img", "input"}


def comparison(folder: Path) -> str:
    """The page of a comparison."""
    *_, page = run(folder, pairs(folder, [5.0, 6.0, 7.0]))
    return str(page)


def sat(folder: Path, sit: Callable[..., Any], system: Any, *arguments: str) -> str:
    """The page of an answer that was made up of trials."""
    sit(folder, system, *arguments)
    return (folder / "latest" / "report.html").read_text(encoding="utf-8")


GATE: gate.Gate = {
    "schema": gate.SCHEMA,
    "gate_id": "gate-1",
    "against": "`main 1234567`",
    "verdict": "regression",
    "why": "",
    "enforced": True,
    "failed": True,
    "doubts": ["other processes took 30 %"],
    "run_ids": ["run-1", "run-2"],
    "metrics": against_file({"actions_per_s": [9.0, 9.0, 9.0]}, {"actions_per_s": [5.0, 5.0, 5.0]}, Bounds(), ""),
    "required": [{"said": "visibility_ms.p99 < 50", "value": None, "holds": False, "because": "not told"}],
}
PAGES: dict[str, Callable[[Path], str]] = {
    "report": lambda folder: render(full(folder)),
    "void": lambda folder: render(bundles.write(folder, verdict="diverged", why="todo-7 was lost")),
    "comparison": comparison,
    "capacity": lambda folder: sat(folder, capacity.sit, capacity.MadeUp(), "--projectors", "1,2"),
    "crossover": lambda folder: sat(folder, crossover.sit, crossover.MadeUp()),
    "ordering": lambda folder: sat(folder, ordering.sit, ordering.MadeUp(), "--rounds", "1"),
    "gate": lambda _: gates.render(GATE),
    "board": lambda _: boards.render(
        tables([halves.half(), halves.wrong("lossy", "r", "lost")]), [("f", "no")], "board-1"
    ),
    "soak": soaks.rendered,
    "drills": lambda _: drills.render(built(drilled(repetition()), drilled(repetition(), name="kill-api")), "drills-1"),
}


class Tree(HTMLParser):
    """The elements of a page: tag, attributes, and the text within."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(page)
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        texts: list[str] = []
        self.found.append((tag, dict(attrs), texts))
        if tag not in VOID:
            self._open.append((tag, texts))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        for _, texts in self._open:
            texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag, f"</{tag}> ends <{opened}>"

    def of(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        """Attributes and text of each element with this tag."""
        return [(attributes, "".join(texts)) for name, attributes, texts in self.found if name == tag]


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Each kind of page."""
    return PAGES[request.param](tmp_path_factory.mktemp("page"))


def test_each_chart_has_a_caption_a_role_with_a_sentence_and_a_table(page: str) -> None:
    charts = re.findall(r'<figure class="chart".*?</figure>', page, flags=re.DOTALL)
    alone = any(f"Tidemark {kind}" in page for kind in ("gate", "board"))
    assert bool(charts) != alone, "a gate and a board have tables alone"
    for chart in charts:
        tree = Tree(chart)
        assert "".join(text for _, text in tree.of("figcaption")).strip()
        (svg,) = [attributes for attributes, _ in tree.of("svg")]
        assert svg["role"] == "img"
        assert len(svg["aria-label"] or "") > 10
        assert tree.of("table"), "no table beside the chart"
        assert len(tree.of("td")) > 0


def test_keyboards_reach_charts_and_what_scrolls_and_begin_with_a_skip_link(page: str) -> None:
    tree = Tree(page)
    links = [attributes["href"] for attributes, _ in tree.of("a")]
    assert links[0] == "#content"
    ids = [attributes["id"] for _, attributes, _ in tree.found if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link and link.startswith("#")} <= set(ids)
    for _, attributes, _ in tree.found:
        kinds = (attributes.get("class") or "").split()
        if {"plot", "table", "scroll"} & set(kinds):
            assert attributes.get("tabindex") == "0", attributes
        for named in (attributes.get("aria-labelledby") or "").split():
            assert named in ids


def test_headings_step_down_one_by_one(page: str) -> None:
    levels = [int(tag[1]) for tag, _, _ in Tree(page).found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_nothing_leads_to_another_host(page: str) -> None:
    tree = Tree(page)
    for _, attributes, _ in tree.found:
        for name in ("src", "href", "srcset", "action", "poster", "data", "style"):
            assert "//" not in (attributes.get(name) or ""), attributes
    scripts = "".join(text for _, text in tree.of("script"))
    for reaches in ("fetch(", "XMLHttpRequest", "import(", "WebSocket", "@import", "url("):
        assert reaches not in scripts + CSS


def test_a_page_is_a_tenth_of_what_it_was(page: str) -> None:
    assert len(page) < 480_000


@pytest.mark.parametrize("planted", ['<a href="https://x.example/">x</a>', '<img src="//x.example/a.png">'])
def test_a_link_to_another_host_is_found(planted: str) -> None:
    with pytest.raises(AssertionError):
        test_nothing_leads_to_another_host(planted)


def tokens(css: str) -> dict[str, str]:
    """The colors of one theme."""
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css))


def themes() -> dict[str, dict[str, str]]:
    """Light, and dark on top of it."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, flags=re.DOTALL)[:2]
    return {"light": tokens(light), "dark": {**tokens(light), **tokens(dark)}}


def contrast(one: str, other: str) -> float:
    """Of two colors, as WCAG 2 has it: 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    lines = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * lines[0] + 0.7152 * lines[1] + 0.0722 * lines[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_a_contrast_of_4_5_and_curves_of_3(theme: str) -> None:
    found: dict[str, Any] = themes()[theme]
    texts = [
        *(("ink", back) for back in ("page", "card", "good-bg", "bad-bg", "warn-bg")),
        *(("soft", back) for back in ("page", "card")),
        *((tone, f"{tone}-bg") for tone in ("good", "bad", "warn")),
        *((tone, "card") for tone in ("good", "bad")),
        ("c0", "page"),
    ]
    assert {
        pair: round(contrast(*(found[name] for name in pair)), 2)
        for pair in texts
        if contrast(*(found[name] for name in pair)) < 4.5
    } == {}
    curves = [f"c{number}" for number in range(6)]
    assert {
        curve: contrast(found[curve], found["card"]) for curve in curves if contrast(found[curve], found["card"]) < 3
    } == {}


def test_contrast_is_as_wcag_has_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_paper_is_light_and_no_chart_is_cut() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in CSS
    paper = CSS[CSS.index("@media print") :]
    assert re.search(r"\.chart[^{]*\{ break-inside: avoid", paper)
