"""`task target:check` as a person runs it: tables, documents, exit codes, of a fake and of every target here."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import ROOT
from bench.answers.conformance.command import render
from bench.bundle.folder import LATEST
from metrics.reading import read
from metrics.records.answers.conformance import FILE, SCHEMA, Conformance
from tests.fakes.broken import broken
from tests.fakes.todo_server import FakeTodoServer

TIMEOUT_S = 480.0
PASSED_OVER = {"emmett", "emmett:short-lock", "act:as-shipped"}
"""They leave events unprojected where writers are concurrent, as their manifests and notes say; what they refuse and
what they log is right all the same.
"""
OF_THE_READ_MODEL = (
    *("get-", "visible-", "text-", "page-", "stats-", "applied-", "wait-"),
    *("refused-unchanged", "if-match-409", "if-match-etag", "idempotency-update"),
)
"""What can not be told where a write is never shown, by the beginnings of the rules' names."""


def run(results: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command with these settings and no others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "bench", "target-check", "--results", str(results), *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


async def at(server: FakeTodoServer, results: Path, *arguments: str, **variables: str) -> Any:
    async with server:
        return await asyncio.to_thread(run, results, *arguments, BASE_URL=server.base_url, **variables)


def left(results: Path) -> Conformance:
    """What `results/latest` points at, with its page."""
    folder = results / LATEST
    assert (folder / "report.html").read_text(encoding="utf-8") == render(folder)
    return read(folder / FILE, Conformance, schema=SCHEMA)


async def test_a_system_at_base_url_is_checked_and_what_it_offers_is_told(tmp_path: Path) -> None:
    done = await at(FakeTodoServer(), tmp_path, TARGET="my-service")
    assert done.returncode == 0, done.stdout + done.stderr
    found = left(tmp_path)
    assert found["held"]
    assert [one["target"] for one in found["targets"]] == ["my-service"]
    assert "events is offered" in done.stdout
    assert "create-201" in done.stdout
    assert "my-service keeps the contract" in done.stdout
    (tmp_path / LATEST / "report.html").unlink()
    assert (
        await asyncio.to_thread(subprocess.call, [sys.executable, "-m", "bench", "report", str(tmp_path / LATEST)]) == 0
    )
    assert left(tmp_path)["held"]


async def test_a_rule_that_does_not_hold_is_told_in_full_and_ends_with_1(tmp_path: Path) -> None:
    done = await at(broken("page-order"), tmp_path, "--short")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "page-order: Ids strictly increase by code points, within a page and from page to page." in done.stdout
    assert 'to do     order by the id, by code points (Postgres: COLLATE "C"), and begin behind `after`' in done.stdout
    assert not left(tmp_path)["held"]


async def test_a_capability_that_is_named_must_be_proven(tmp_path: Path) -> None:
    done = await at(broken("if-match-409"), tmp_path, "--capabilities", "if-match,wait")
    assert done.returncode == 1, done.stdout + done.stderr
    assert left(tmp_path)["why"].endswith("rules do not hold: if-match-409")


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("--capabilities", "brewing"), {"BASE_URL": "http://127.0.0.1:1"}, "'brewing' is no capability"),
        (("--capabilities", "wait"), {}, "a target declares its capabilities in target.toml"),
        (("--all",), {"BASE_URL": "http://127.0.0.1:1"}, "unset BASE_URL"),
        ((), {"TARGET": "nobody"}, "TARGET"),
        ((), {"BASE_URL": "ftp://127.0.0.1"}, "BASE_URL"),
    ],
)
def test_what_can_not_be_asked_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = run(tmp_path, *arguments, **variables)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_every_target_that_is_installed_keeps_the_contract(tmp_path: Path) -> None:
    done = run(tmp_path, "--all")
    found = left(tmp_path)
    wrong = {one["target"]: one["why"] for one in found["targets"] if not one["held"]}
    assert set(wrong) <= PASSED_OVER, done.stdout
    assert done.returncode == (1 if wrong else 0), done.stderr
    assert not found["failed"]
    names = [one["target"] for one in found["targets"]]
    assert names[0] == "tidemark"
    assert {"crud", "empty"} <= set(names)
    for one in found["targets"]:
        if one["held"]:
            assert one["capabilities"] is not None
            assert set(one["capabilities"]) <= set(one["offered"]), one["target"]
        broken_rules = {rule["rule"] for rule in one["rules"] if rule["counts"] and rule["state"] != "held"}
        assert all(rule.startswith(OF_THE_READ_MODEL) for rule in broken_rules), wrong
        assert list((tmp_path / LATEST / "log" / one["target"].replace(":", "-")).iterdir()), "its logs are there"
