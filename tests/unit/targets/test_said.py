"""What is said of a target: each variant for itself, pools side by side, and the command of each find."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Final

import pytest

from bench import ROOT
from settings.catalogue.api import API_POOL_SIZE
from settings.environment import UNSET
from settings.targets import reader

NOTES: Final = "NOTES.md"
PROGRAM: Final = re.compile(r"`[^`]*\b(?:node|\{?python\}?) ((?:[\w-]+/)*[\w-]+\.(?:mjs|ts|py))[^`]*`")
ACT: Final = ("act", "act:per-stream", "act:as-shipped")


def pools() -> dict[str, str]:
    """The table of the method's page: what is said of a target's pools, by its name."""
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| target | connections to its store |")
    rows = re.findall(r"^\| `([a-z]+)` \| (.+) \|$", table.partition("\n\n")[0], re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize("name", reader.names())
def test_each_variant_says_for_itself_what_to_know(name: str) -> None:
    """A sentence about the target as it is by default need not be true of a variant, so none is inherited."""
    for variant, own in tomllib.loads(reader.load(name).text).get("variants", {}).items():
        assert own.get("know"), f"{name}:{variant}"


def test_a_wiring_of_act_is_told_by_its_own_row_alone() -> None:
    own = ("One projection with one target", "A target for each todo", "correlated after a creation alone")
    for name, words in zip(ACT, own, strict=True):
        told = " ".join(reader.load(name).know)
        assert [one for one in own if one in told] == [words]


def test_act_as_shipped_says_first_that_its_sample_is_older_and_of_another_store() -> None:
    target = reader.load("act:as-shipped")
    assert "older than the act that it runs on" in target.know[0]
    assert target.version in target.know[0]
    assert "on Postgres there" in target.know[0]


@pytest.mark.parametrize("name", [name for name in reader.names() if (reader.FOLDER / name / "package.json").exists()])
def test_a_target_on_node_runs_as_in_production(name: str) -> None:
    target = reader.load(name)
    for variant in (name, *(f"{name}:{each}" for each in target.variants)):
        assert reader.load(variant).environment["NODE_ENV"] == "production", variant


def test_the_method_has_the_pools_of_all_targets_side_by_side() -> None:
    assert sorted(pools()) == sorted(reader.names())


def test_the_pools_are_as_they_are_told() -> None:
    told = pools()
    projector = (ROOT / "services" / "projector" / "__main__.py").read_text(encoding="utf-8")
    found = re.search(r"^CONNECTIONS: Final = (\d+)", projector, re.MULTILINE)
    assert found
    assert told["tidemark"].startswith(f"{API_POOL_SIZE.read(UNSET)} of the API, {found[1]} of each projector")
    assert told["crud"].startswith(f"{API_POOL_SIZE.read(UNSET)} ")
    store = (reader.FOLDER / "emmett" / "store.mjs").read_text(encoding="utf-8")
    assert re.findall(r"new pg\.Pool\((.*?)\)", store) == ["{ connectionString }"]
    assert "`pg`'s default" in told["emmett"]
    domain = (reader.FOLDER / "eventsourcing" / "domain.py").read_text(encoding="utf-8")
    assert not re.search("POOL|OVERFLOW", domain)
    assert "library's default" in told["eventsourcing"]


@pytest.mark.parametrize("name", reader.names())
def test_a_program_that_the_notes_name_is_there(name: str) -> None:
    folder = reader.FOLDER / name
    for program in PROGRAM.findall((folder / NOTES).read_text(encoding="utf-8")):
        assert (folder / program).is_file(), program


@pytest.mark.parametrize("name", ["emmett", "eventsourcing", "act"])
def test_what_was_seen_has_a_command_in_each_row(name: str) -> None:
    notes = (reader.FOLDER / name / NOTES).read_text(encoding="utf-8")
    _, _, table = re.split(r"^## (Seen here|What was found)$", notes, maxsplit=1, flags=re.MULTILINE)
    rows = re.findall(r"^\| (.+) \|$", table.partition("\n## ")[0], re.MULTILINE)[2:]
    assert rows
    for row in rows:
        assert re.search(r"`(?:[A-Z_]+=\S+ )*(?:task|node|\S*python) ", row), row


def test_emmetts_version_is_that_of_its_lock() -> None:
    locked = json.loads((reader.FOLDER / "emmett" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for package in ("emmett", "emmett-postgresql"):
        assert locked[f"node_modules/@event-driven-io/{package}"]["version"] == reader.load("emmett").version
