"""act's target: the versions that it tells are those that its lock installs, and its own programs hold what it says."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from bench.platforms.targets import folder
from settings.children import PROGRAM
from settings.targets import reader
from settings.targets.manifest import Manifest

OWN_TESTS_S = 60


@pytest.fixture
def target() -> Manifest:
    return reader.load("act")


def locked(target: Manifest) -> dict[str, Any]:
    """What its lock has, by path in node_modules."""
    document: dict[str, Any] = json.loads((target.folder / "package-lock.json").read_text())
    return dict(document["packages"])


def test_every_package_is_pinned_and_the_lock_has_that_version(target: Manifest) -> None:
    asked = json.loads((target.folder / "package.json").read_text())["dependencies"]
    found = {name: locked(target)[f"node_modules/{name}"]["version"] for name in asked}
    assert found == asked


def test_the_version_of_the_target_is_that_of_act_and_its_store_is_named(target: Manifest) -> None:
    packages = locked(target)
    assert target.version == packages["node_modules/@rotorsoft/act"]["version"]
    store = packages["node_modules/@rotorsoft/act-sqlite"]["version"]
    assert any(f"act-sqlite {store}" in line for line in target.know)


def test_node_is_brought_along_and_is_one_that_act_and_its_store_run_on(target: Manifest) -> None:
    packages = locked(target)
    brought = [int(part) for part in packages["node_modules/node"]["version"].split(".")]
    for name in ("act", "act-sqlite"):
        least = re.fullmatch(r">=(\d+)\.(\d+)\.(\d+)", packages[f"node_modules/@rotorsoft/{name}"]["engines"]["node"])
        assert least is not None
        assert brought >= [int(part) for part in least.groups()]


@pytest.mark.parametrize("name", ["act", "act:per-stream", "act:as-shipped"])
def test_its_headline_says_that_the_engine_is_another(name: str) -> None:
    assert "another engine" in reader.load(name).title


def test_its_own_tests_pass(target: Manifest) -> None:
    lacking, _ = folder.lacking(target)
    if lacking:
        pytest.skip(f"act {lacking}: its tests run on its own Node and packages (`task targets:install -- act`)")
    place = folder.opened(target)
    done = subprocess.run(
        [place.node, "--test"],
        cwd=place.cwd,
        env=PROGRAM.environment({"LOG_LEVEL": "error", "NODE_ENV": "test"}),
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=OWN_TESTS_S,
    )
    assert done.returncode == 0, done.stdout
