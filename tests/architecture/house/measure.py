"""`task house`: measure the house before and after, and write the figures into docs/architecture.md.

Listings, arrows and circles are read from the source. What a write, a read and an event pass through is seen in the
running system; what a setting and a figure of a sample pass through are the files that spell its name.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from settings.children import GIT, PYTHON
from tests.architecture.house.arrows import circles
from tests.architecture.house.test_listings import MOST, ONE_KIND, listings
from tests.architecture.house.traced import ways
from tests.architecture.house.tree import ROOT
from tests.architecture.house.words import in_words

BEFORE: Final = "a8c61f1"
"""The revision from which the house was built anew."""

PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN: Final = "<!-- measured by `task house` -->"
END: Final = "<!-- end of what was measured -->"

SETTING: Final = "HANDLER_LATENCY_MS"
FIGURE: Final = "oldest unprojected age ms"
CODE: Final = {".py", ".toml", ".yaml", ".html", ".sql"}

GRAPH: Final = """
import grimp, json, sys
read = grimp.build_graph(*sys.argv[1:], cache_dir=None)
print(json.dumps({module: sorted(read.find_modules_directly_imported_by(module)) for module in read.modules}))
"""


@dataclass(frozen=True)
class House:
    """What is told of one revision: figures by their titles, and files by the way that leads through them."""

    figures: Mapping[str, int]
    ways: Mapping[str, list[str]]


def measure(tree: Path) -> House:
    """Measure one tree, which may be of another revision."""
    packages = sorted(path.parent.name for path in tree.glob("*/__init__.py") if path.parent.name != "tests")
    files = sorted(
        path.relative_to(tree).as_posix()
        for package in packages
        for path in (tree / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    lists = {folder: len(entries) for folder, entries in listings(files).items() if folder not in ONE_KIND}
    drawn = subprocess.run(
        [sys.executable, "-c", GRAPH, *packages],
        cwd=tree,
        env=PYTHON.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    modules = {module: set(imported) for module, imported in json.loads(drawn.stdout).items()}
    round_about = set(circles(modules))
    texts = {path: (tree / path).read_text(encoding="utf-8") for path in files if Path(path).suffix in CODE}
    found = {
        **ways(tree),
        f"setting (spelled: {SETTING})": [path for path, text in texts.items() if SETTING in text],
        f"sample (spelled: {FIGURE})": [path for path, text in texts.items() if FIGURE in in_words(text)],
    }
    figures = {
        "files of Python": sum(path.endswith(".py") for path in files),
        "lines of Python": sum(text.count("\n") for path, text in texts.items() if path.endswith(".py")),
        "longest listing": max(lists.values()),
        f"listings of more than {MOST}": sum(length > MOST for length in lists.values()),
        "arrows between modules": sum(len(imported) for imported in modules.values()),
        "circles of modules": int("modules" in round_about),
        "folders in which arrows go round": len(round_about - {"modules"}),
        **{f"files: {way}": len(passed) for way, passed in found.items()},
    }
    return House(figures, found)


def table(before: House, after: House) -> str:
    """Both in Markdown: the figures side by side, then the files of each way as it is now."""
    rows = [f"| {title} | {before.figures[title]:,} | {figure:,} |" for title, figure in after.figures.items()]
    passed = [f"- **{way}**: {', '.join(f'`{path}`' for path in files)}" for way, files in after.ways.items()]
    return "\n".join([f"| | before ({BEFORE}) | now |", "|---|--:|--:|", *rows, "", *passed])


def revision(name: str, folder: Path) -> Path:
    """The tree of a revision, in a folder."""
    command = ["git", "-C", str(ROOT), "archive", name]
    packed = subprocess.run(command, env=GIT.environment(), capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def publish(page: str, measured: str) -> str:
    """The page with new figures between its marks."""
    return re.sub(f"(?s){re.escape(BEGIN)}.*{re.escape(END)}", lambda _: f"{BEGIN}\n{measured}\n{END}", page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        told = table(measure(revision(BEFORE, Path(folder))), measure(ROOT))
    PAGE.write_text(publish(PAGE.read_text(encoding="utf-8"), told), encoding="utf-8")
    print(told)
