"""Manifests for tests: a folder with a sound one, and changes to it."""

from __future__ import annotations

from pathlib import Path

SOUND = """\
title = "One of mine"
version = "1.2"
language = "Python"
store = "postgres"
class = "documented"
homepage = "https://example.org"
durable = "synchronous_commit is on"
know = ["slow on Mondays"]
modes = ["parallel"]
capabilities = ["events", "applied"]
proof = "log"

[migrate]
command = ["{python}", "migrate.py"]

[api]
command = ["{python}", "api.py", "--port={port}"]

[projector]
command = ["{python}", "projector.py"]
most = 2
environment = {WHO = "{name}", NUMBER = "{number}"}

[environment]
DATABASE_URL = "{database}"

[variants.inline]
title = "One of mine, inline"
projector = false
environment = {PROJECTION = "inline"}
"""


def written(root: Path, text: str = SOUND, name: str = "mine") -> Path:
    """A target's folder with this manifest."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "target.toml").write_text(text, encoding="utf-8")
    return folder


def without_tables(text: str = SOUND) -> str:
    """The keys that stand before the first table."""
    return text.partition("\n[")[0] + "\n"
