"""Documents name only what is there: every path in them leads to a file, a folder or a module of the tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Final

import pytest

from tests.architecture.house.measure import BEGIN, END, House, publish, table
from tests.architecture.house.test_listings import MOST
from tests.architecture.house.tree import PACKAGES, ROOT, read, texts

FOLDERS: Final = (*PACKAGES, "docs", "scenarios", "tests")
PAST: Final = ("CHANGELOG.md", "docs/decisions/*")
"""They speak of what was there when they were written."""

PATH: Final = re.compile(rf"(?<![\w./-])((?:{'|'.join(FOLDERS)})/[\w./-]*[\w/])(?![\w*{{<])")


def missing(page: str) -> Iterator[str]:
    """Paths of a page that lead nowhere; those that were measured are of the revision that was."""
    for found in PATH.findall(re.sub(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}", "", page)):
        candidates = (ROOT / found, ROOT / f"{found}.py")
        if not any(each.exists() for each in candidates):
            yield found


def pages() -> list[str]:
    return [path for path in texts() if path.endswith(".md") and not any(fnmatch(path, past) for past in PAST)]


@pytest.mark.parametrize("path", pages())
def test_what_a_page_names_is_there(path: str) -> None:
    assert list(missing(read(path))) == []


@pytest.mark.parametrize(
    "page", ["see `eventstore/coalesce`", "│  services/api/direct   answers", "in `bench/nowhere/`"]
)
def test_a_path_that_leads_nowhere_is_found(page: str) -> None:
    assert list(missing(page))


def test_what_was_measured_is_put_between_its_marks() -> None:
    was, now = House({"circles": 1234}, {}), House({"circles": 0}, {"write": ["a.py", "b.py"]})
    page = publish(f"before\n{BEGIN}\nold\n{END}\nafter", table(was, now))
    assert "| circles | 1,234 | 0 |" in page
    assert "- **write**: `a.py`, `b.py`" in page
    assert "old" not in page
    assert page.startswith("before\n")
    assert page.endswith("\nafter")


def test_the_house_was_measured() -> None:
    measured = read("docs/architecture.md").split(BEGIN)[1].split(END)[0]
    assert re.search(r"\| longest listing \| \d+ \| \d+ \|", measured)


def ways(page: str) -> dict[str, list[str]]:
    """The files of each way that a page follows, in its order, by the way's title."""
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    rows = {each.splitlines()[0]: re.findall(r"^\| \d+ \| `([^`]+)`", each, flags=re.MULTILINE) for each in sections}
    return {title: files for title, files in rows.items() if files}


def test_each_way_leads_through_twelve_files_at_most() -> None:
    followed = ways(read("docs/architecture.md"))
    assert [title.split(":")[0] for title in followed] == [
        *("A write", "An event", "A read", "A sample", "A verdict", "A setting"),
    ]
    assert {title: len(files) for title, files in followed.items() if len(files) > MOST} == {}


def test_a_way_that_is_too_long_is_found() -> None:
    page = "## A write\n" + "\n".join(f"| {n} | `eventstore/visibility/read` | again |" for n in range(1, MOST + 2))
    assert len(ways(page)["A write"]) > MOST
