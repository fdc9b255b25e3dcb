"""Who may know whom: the laws of the house are in pyproject.toml, hold, and find what is planted against them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.house.arrows import between_modules, circle, circles, graph
from tests.architecture.house.tree import PACKAGES, ROOT, read, sources

LINT: Final = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

PLANTED: Final = {
    "decisions-are-pure": ("todo/decisions.py", "import eventstore.visibility.read"),
    "event-store": ("eventstore/visibility/read.py", "import projection.leases.streams"),
    "handler": ("todo/handler.py", "import projection.registry"),
    "read-model": ("todo/read_models/todos.py", "import todo.decisions"),
    "projection": ("projection/registry/projectors.py", "import todo.events"),
    "services-apart": ("services/api/app.py", "import services.projector.worker"),
    "loadgen-knows-http": ("services/loadgen/worker.py", "import eventstore.visibility.read"),
    "bench-starts-processes": ("bench/oracle/refold.py", "import todo.decisions"),
    "log-oracle-knows-http": ("bench/oracle/log/fold.py", "import bench.oracle.read_store"),
    "programs-are-started": ("bench/perf/trials.py", "import bench.perf.programs.append"),
    "targets-are-started": ("bench/platforms/choice.py", "import targets"),
    "services-below-bench": ("services/projector/worker.py", "import bench.oracle.refold"),
    "metrics": ("metrics/sinks.py", "import eventstore.visibility.read"),
    "settings": ("settings/environment.py", "import metrics.sinks"),
    "migrations": ("migrations/turn.py", "import metrics.sinks"),
    "platforms-apart": ("bench/platforms/attached.py", "import bench.platforms.local.parts"),
    "platforms-behind-their-protocol": ("bench/trial/runner.py", "import bench.platforms.local.system"),
    "faults-know-the-protocol": ("bench/faults/kill_api.py", "import bench.platforms.choice"),
}
"""The laws of the house, each with a line that breaks it."""

CONTAINERS: Final = re.compile(r"docker|kubernetes|kubectl|k8s", re.IGNORECASE)


def test_every_law_of_the_house_is_written_down() -> None:
    laws = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    assert set(PLANTED) == {law["id"] for law in laws}


def test_every_law_finds_what_is_planted_against_it(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, line in PLANTED.values():
        with (tmp_path / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    laws = read("pyproject.toml")
    (tmp_path / "pyproject.toml").write_text(laws, encoding="utf-8")

    done = subprocess.run(LINT, cwd=tmp_path, capture_output=True, text=True, check=False)

    names = {law["id"]: law["name"] for law in tomllib.loads(laws)["tool"]["importlinter"]["contracts"]}
    told = " ".join(done.stdout.split())
    assert [law for law in PLANTED if f"{names[law]} BROKEN" not in told] == []


def test_no_arrow_goes_round() -> None:
    assert circles(between_modules(graph())) == {}


@pytest.mark.parametrize(
    ("modules", "where"),
    [
        ({"a.one": {"a.two"}, "a.two": {"a.one"}}, {"modules", "in a"}),
        ({"a.one.x": {"a.two.y"}, "a.two.z": {"a.one.w"}}, {"in a"}),
        ({"a.x": {"b.y"}, "b.z": {"a.w"}}, {"in ."}),
        ({"a.x": {"b.y"}, "b.y": {"c.z"}, "c.z": {"a.x"}}, {"modules", "in ."}),
    ],
)
def test_a_circle_is_found(modules: dict[str, set[str]], where: set[str]) -> None:
    assert set(circles(modules)) == where


def test_a_way_that_ends_is_no_circle() -> None:
    assert circle({"a": {"b", "c"}, "b": {"c"}}) == []


def naming_containers(path: str, text: str) -> bool:
    """True where something outside of the platforms knows what a system runs in."""
    # A child's environment is written down in one place, whoever starts it.
    beyond = path.startswith("bench/platforms/") or path == "settings/children.py"
    return not beyond and CONTAINERS.search(text) is not None


def test_only_the_platforms_name_docker_or_kubernetes() -> None:
    assert [path for path in sources(*PACKAGES) if naming_containers(path, read(path))] == []


@pytest.mark.parametrize("text", ['command = ["docker", "kill", name]', "import kubernetes"])
def test_a_name_of_docker_or_kubernetes_is_found(text: str) -> None:
    assert naming_containers("bench/faults/kill_projector.py", text)
    assert not naming_containers("bench/platforms/compose/system.py", text)
