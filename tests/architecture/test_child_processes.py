"""Every start of a process names its whole environment, and that comes from the allow list of `settings.children`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from settings import catalogue, children
from tests.architecture.test_settings_agree import names_read

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = (
    "bench",
    "eventstore",
    "grafana",
    "metrics",
    "migrations",
    "projection",
    "services",
    "settings",
    "todo",
)
STARTS: Final = {
    *("subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    *("asyncio.create_subprocess_exec", "create_subprocess_exec"),
}
FORBIDDEN: Final = {
    *("os.system", "os.popen", "os.execv", "os.execl", "os.execlp", "os.execvp", "os.spawnv", "os.spawnl", "os.fork"),
    *("asyncio.create_subprocess_shell", "subprocess.getoutput", "subprocess.getstatusoutput"),
}
PROGRAMS: Final = ROOT / "bench" / "perf" / "programs"
"""They are measured themselves, each with an environment of its own."""

ALLOW_LIST: Final = ROOT / "settings" / "children.py"


def sources() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@cache
def calls(path: Path) -> Sequence[tuple[str, ast.Call]]:
    """Each call with the name that is called. Several tests ask, and to read all sources takes a second."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def offences(path: Path) -> list[str]:
    """Starts without an environment of their own, and environments that are this process's as it is."""
    found = []
    for name, call in calls(path):
        words = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        if name in FORBIDDEN or (name in STARTS and "env" not in words):
            found.append(f"{path.name}:{call.lineno} {name} without env")
        if "os.environ" in words.get("env", ""):
            found.append(f"{path.name}:{call.lineno} the ambient environment")
        if name in ("dict", "os.environ.copy") and "os.environ" in ast.unparse(call):
            found.append(f"{path.name}:{call.lineno} a copy of the ambient environment")
    found += [f"{path.name}:{line} the ambient environment, spread" for line in spreads(path)]
    return found


def spreads(path: Path) -> Iterator[int]:
    """Where the ambient environment is spread into another one, unless it is read as settings at once."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    read = {
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".from_env")
        for argument in node.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and node not in read:
            pairs = zip(node.keys, node.values, strict=True)
            if any(key is None and ast.unparse(value) == "os.environ" for key, value in pairs):
                yield node.lineno


def test_every_start_names_its_environment() -> None:
    assert [offence for path in sources() for offence in offences(path)] == []


def test_the_check_sees_the_starts_that_there_are() -> None:
    starting = {path.name for path in sources() if any(name in STARTS for name, _ in calls(path))}
    assert {"bounded.py", "processes.py", "cluster.py", "guardian.py", "child_process.py", "lab.py"} <= starting


@pytest.mark.parametrize(
    "code",
    [
        "subprocess.run(['x'])",
        "subprocess.Popen(['x'], env=os.environ)",
        "subprocess.Popen(['x'], env={**os.environ, 'A': 'b'})",
        "env = {**os.environ, 'A': 'b'}",
        "env = dict(os.environ)",
        "env = os.environ.copy()",
        "asyncio.create_subprocess_exec('x')",
        "os.system('x')",
    ],
)
def test_the_check_finds_an_offence(code: str, tmp_path: Path) -> None:
    path = tmp_path / "offending.py"
    path.write_text(code)
    assert offences(path)


def test_the_processes_of_the_load_generator_are_given_the_settings_that_it_reads() -> None:
    assert set(catalogue.names("loadgen")) == names_read("loadgen")


def test_the_bench_has_one_way_to_its_database_and_none_to_a_proxy() -> None:
    ours = [path for path in (ROOT / "bench").rglob("*.py") if PROGRAMS not in path.parents]
    connecting = [path.name for path in ours if any(name == "asyncpg.connect" for name, _ in calls(path))]
    opening = [path.name for path in sources() if any(name.endswith("request.urlopen") for name, _ in calls(path))]
    assert (connecting, opening) == (["database.py"], [])


def test_the_kinds_are_declared_in_one_place() -> None:
    kinds = [path for path in sources() if any(name in ("Child", "children.Child") for name, _ in calls(path))]
    assert [path for path in kinds if path != ALLOW_LIST] == []
    assert children.__file__ == str(ALLOW_LIST)
