"""The Dockerfiles: linted, and each image holds just what its process needs."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

from bench import ROOT
from tests.architecture.containers import DOCKERFILES, instructions

ENTRY = {
    "api": ["services.api", "services.health"],
    # Read models are imported by the names that READ_MODELS gives.
    "projector": ["services.projector", "services.health", "todo.read_models"],
    "loadgen": ["services.loadgen"],
    "migrate": ["migrations"],
}
# What a process reads and does not import.
DATA = {"loadgen": {"scenarios"}}
PACKAGES = ["bench", "eventstore", "metrics", "migrations", "projection", "services", "settings", "todo"]


@cache
def graph() -> grimp.ImportGraph:
    """Who imports whom, also within functions and for types."""
    return grimp.build_graph(*PACKAGES)


def needed(image: str) -> set[str]:
    """The folders and loose files of the modules that an image's process may import."""
    roots = {
        module
        for entry in ENTRY[image]
        for module in graph().modules
        if module == entry or module.startswith(f"{entry}.")
    }
    modules = roots.union(*(graph().find_upstream_modules(module) for module in roots))
    return ({place(module) for module in modules} - {"services"}) | DATA.get(image, set())


def place(module: str) -> str:
    """The path that a COPY would name: a package of `services`, a loose module there, or a package at the top."""
    parts = module.split(".")
    if parts[0] != "services" or len(parts) == 1:
        return parts[0]
    return "services/" + (parts[1] if (ROOT / "services" / parts[1]).is_dir() else "*.py")


def copied(image: str) -> set[str]:
    """What the first stage copies from the project, but the files that the environment is made from."""
    sources: set[str] = set()
    for name, rest in instructions(DOCKERFILES[image]):
        if name == "COPY" and not rest.startswith("--from="):
            sources.update(rest.split()[:-1])
    return sources - {"pyproject.toml", "uv.lock"}


@pytest.mark.parametrize("image", DOCKERFILES)
def test_an_image_holds_what_its_process_imports(image: str) -> None:
    assert copied(image) - {"services/*.py"} == needed(image) - {"services/*.py"}
    assert needed(image) & {"services/*.py"} <= copied(image)


@pytest.mark.parametrize("image", DOCKERFILES)
def test_an_image_is_linted(image: str) -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert program is not None
    done = subprocess.run([program, str(DOCKERFILES[image])], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("image", DOCKERFILES)
def test_an_image_is_built_in_two_stages_and_by_nobody_else(image: str) -> None:
    steps = instructions(DOCKERFILES[image])
    assert [rest for name, rest in steps if name == "FROM"] == ["python:3.13-slim AS build", "python:3.13-slim"]
    assert {rest.split()[0] for name, rest in steps if name == "COPY" and rest.startswith("--from")} == {"--from=build"}
    assert "# syntax=" not in DOCKERFILES[image].read_text(encoding="utf-8")


@pytest.mark.parametrize("image", DOCKERFILES)
def test_an_image_has_its_own_extra_from_the_lock(image: str) -> None:
    (sync,) = [rest for name, rest in instructions(DOCKERFILES[image]) if "uv sync" in rest]
    assert re.findall(r"--extra (\w+)", sync)[0] == image
    assert set(re.findall(r"--extra (\w+)", sync)) <= {image, "otel"}
    assert {"--locked", "--no-default-groups", "--compile-bytecode"} <= set(sync.split())


@pytest.mark.parametrize("image", DOCKERFILES)
def test_the_last_stage_runs_as_nobody_in_particular_and_has_no_tools(image: str) -> None:
    steps = instructions(DOCKERFILES[image])
    last = steps[max(index for index, step in enumerate(steps) if step[0] == "FROM") :]
    assert ("USER", "10001:10001") in last
    assert not re.search(r"\b(pip|uv|apt-get|gcc)\b", " ".join(rest for name, rest in last if name == "RUN"))
    assert dict(last)["CMD"].startswith('["python", "-m", ')


def test_all_images_use_one_uv() -> None:
    found = {re.search(r"uv==(\S+)", path.read_text(encoding="utf-8")) for path in DOCKERFILES.values()}
    assert len({match[1] for match in found if match}) == 1
    assert None not in found


def test_the_context_is_what_is_copied() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    wanted = {source.split("/")[0] for image in DOCKERFILES for source in copied(image)}
    assert allowed == wanted | {"pyproject.toml", "uv.lock"}
    assert any(fnmatch.fnmatch("x/__pycache__", rule) for rule in rules)
