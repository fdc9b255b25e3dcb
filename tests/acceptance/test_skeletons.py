"""The skeletons of docs/adding-a-target.md: each starts, says that it is ready, and the suite says what is missing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import urllib3

from bench import ROOT
from bench.oracle.conformance.check import check
from metrics.records.answers.conformance import Checked
from settings.targets import reader

PAGE: Final = ROOT / "docs" / "adding-a-target.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
EXAMPLES: Final = ROOT / "docs" / "examples"
ROUTES: Final = ("POST /todos", "GET /todos/", "GET /todos?", "GET /stats", "PUT /todos/", "DELETE /todos/")


CACHE: Final = ROOT / ".cache" / "target-typescript"
STRIPS: Final = "process.exit(process.features.typescript === 'strip' ? 0 : 1)"
"""True of a Node that runs TypeScript by leaving its types out."""


LINES: Final = 3
"""So much of what npm said last is told with the reason."""


class NoNode(Exception):
    """There is no Node that runs the skeleton, and why none could be had."""


def a_node() -> str:
    """A Node that runs the skeleton: on PATH, of an installed target, or the one that its own lock brings.

    Raises NoNode.
    """
    installs = [str(path) for path in (ROOT / ".targets").glob("*/node_modules/.bin/node")]
    own, npm = CACHE / "node_modules" / ".bin" / "node", shutil.which("npm")
    for node in (shutil.which("node"), *installs, str(own)):
        if node and Path(node).exists() and subprocess.run([node, "-e", STRIPS], check=False).returncode == 0:
            return node
    if npm is None:
        raise NoNode("there is neither a Node that leaves types out nor npm, which would bring one")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(EXAMPLES / "target-typescript" / name, CACHE)
    command = [npm, "ci", "--no-audit", "--no-fund"]
    brought = subprocess.run(command, cwd=CACHE, check=False, capture_output=True, text=True, errors="replace")
    if brought.returncode != 0:
        said = " / ".join(brought.stderr.strip().splitlines()[-LINES:])
        raise NoNode(f"no Node here leaves types out, and npm ci in {CACHE} did not bring one: {said}")
    return str(own)


@contextmanager
def started(command: list[str], folder: Path) -> Iterator[str]:
    """A skeleton by hand, as the page says; it ends on SIGTERM by itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"HOST": "127.0.0.1", "PORT": str(port), "DATA": str(folder), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(command, env=told, cwd=folder)
    try:
        url = f"http://127.0.0.1:{port}"
        _ready(url, process)
        yield url
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


def _ready(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < ends:
        try:
            if urllib3.request("GET", f"{url}/readyz", retries=False, timeout=2).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    pytest.fail(f"it never was ready; exit code {process.poll()}")


def says_what_is_missing(told: Checked) -> None:
    """Nothing but being ready holds of what is required of writes, reads, pages and counts; each is told in words."""
    states = {rule["rule"]: rule["state"] for rule in told["rules"]}
    assert states["ready-200"] == "held"
    assert not told["held"]
    for rule in ("create-201", "get-200", "page-fields", "stats-fields", "update-200", "delete-204", "visible-create"):
        assert states[rule] != "held", rule
    came = {rule["sent"].split(" ")[0] + rule["came"] for rule in told["rules"] if rule["state"] != "held"}
    assert any("not written yet: POST /todos, which answers 201" in each for each in came)
    assert any("not written yet: GET /stats" in each for each in came)
    assert all(rule["expected"] and rule["remedy"] for rule in told["rules"] if rule["state"] == "broken")


def test_the_skeleton_in_python_passes_nothing_and_hears_what_is_missing(tmp_path: Path) -> None:
    with started([sys.executable, str(EXAMPLES / "target-python" / "api.py")], tmp_path) as url:
        told = check(url, [], patience_s=0.2)
    says_what_is_missing(told)
    shown = re.search(
        r"^```\ncreate-201: (.*)\n  sent .*\n  came .*\n  expected  (.*)\n  to do     (.*)\n```", TEXT, re.MULTILINE
    )
    rule = next(one for one in told["rules"] if one["rule"] == "create-201")
    assert shown
    assert shown.groups() == (rule["says"], rule["expected"], rule["remedy"])


def test_the_skeleton_in_typescript_passes_nothing_and_hears_what_is_missing(tmp_path: Path) -> None:
    try:
        node = a_node()
    except NoNode as why:
        pytest.skip(str(why))
    shutil.copy(EXAMPLES / "target-typescript" / "package.json", tmp_path)
    shutil.copy(EXAMPLES / "target-typescript" / "api.ts", tmp_path)
    with started([node, str(tmp_path / "api.ts")], tmp_path) as url:
        says_what_is_missing(check(url, [], patience_s=0.2))


def test_an_npm_that_can_not_reach_its_registry_is_a_reason_to_skip_and_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network: getaddrinfo EAI_AGAIN' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/nowhere")
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    monkeypatch.setattr(f"{__name__}.CACHE", tmp_path / "cache")
    with pytest.raises(NoNode, match=r"npm ci in .*: npm error network: getaddrinfo EAI_AGAIN"):
        a_node()


def test_without_npm_the_reason_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    monkeypatch.setattr(f"{__name__}.CACHE", tmp_path / "cache")
    with pytest.raises(NoNode, match="nor npm"):
        a_node()


@pytest.mark.parametrize("name", ["target-python", "target-typescript"])
def test_the_manifest_of_a_skeleton_is_one(name: str) -> None:
    target = reader.load(str(EXAMPLES / name))
    assert (target.name, target.capabilities) == (name, ())


def test_the_page_shows_the_manifest_as_it_is() -> None:
    shown = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert shown == [(EXAMPLES / "target-python" / "target.toml").read_text(encoding="utf-8")]


@pytest.mark.parametrize("file", ["target-python/api.py", "target-typescript/api.ts"])
def test_each_required_call_has_its_place_in_a_skeleton_and_on_the_page(file: str) -> None:
    source = (EXAMPLES / file).read_text(encoding="utf-8")
    for route in ROUTES:
        assert f'missing("{route}' in source, route
        assert f"`{route}" in TEXT, route
