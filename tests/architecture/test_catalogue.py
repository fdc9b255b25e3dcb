"""The catalogue of settings: each variable once, and all that is made of it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pytest

from bench import ROOT
from bench.platforms.compose.compose import SECRETS
from bench.preflight.settings import Settings as Bench
from migrations.roles.apply import VARIABLES
from settings import Environment, SettingError, catalogue, children
from settings.catalogue import load, pages
from settings.catalogue.__main__ import written
from settings.catalogue.kinds import Integer, Setting
from settings.hiding import is_secret
from tests.architecture.test_settings_agree import names_read

READING: Final = {"text", "optional", "integer", "number", "duration", "flag", "choice", "host_and_port"}
AMBIENT: Final = {"os.environ", "variables", "environ"}
OTHERS: Final = {
    "COMPOSE_PROJECT_NAME": "Docker's own",
    "PROMETHEUS_MULTIPROC_DIR": "told by the API to its own processes, for prometheus_client",
    "N": "an argument of `task scale`",
    "IDS": "told by `task perf` to its own program",
}
"""Variables that are no settings of a user."""


def test_a_variable_has_one_entry_under_its_own_name() -> None:
    constants = [
        (name, value.name)
        for subject in catalogue.SUBJECTS
        for name, value in vars(subject).items()
        if isinstance(value, Setting)
    ]
    assert all(constant == name for constant, name in constants)
    assert len({name for _, name in constants}) == len(constants) == len(list(catalogue.every()))


@pytest.mark.parametrize("path", written(), ids=lambda path: path.name)
def test_what_is_made_from_the_catalogue_is_as_it_makes_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == written()[path], "run `task docs`"


def apart_from_otel(names: Iterable[str]) -> set[str]:
    """OpenTelemetry's own are read by its exporter, in a process that is traced."""
    return {name for name in names if not name.startswith("OTEL_")}


@pytest.mark.parametrize("process", ["api", "projector", "loadgen"])
def test_a_process_reads_what_the_catalogue_says(process: str) -> None:
    assert apart_from_otel(catalogue.names(process)) == names_read(process)  # type: ignore[arg-type]


def test_the_bench_reads_or_passes_on_what_the_catalogue_says() -> None:
    handed_on = {setting.name for setting in catalogue.every() if setting.passes_the_bench}
    assert {*catalogue.names("bench"), *handed_on} == apart_from_otel(names_read("bench"))


def test_a_secret_is_known_by_its_name() -> None:
    assert {setting.name for setting in catalogue.stack_secrets()} == set(SECRETS)
    assert all(is_secret(name) for name in SECRETS)
    assert set(VARIABLES.values()) < set(SECRETS)


def test_every_default_is_within_its_own_bounds() -> None:
    for setting in catalogue.every():
        if setting.written:
            setting.read(Environment({setting.name: setting.written}))


def literals(path: Path) -> Iterator[tuple[str, int]]:
    """The names by which a module reads variables, as they are spelled in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of = ast.unparse(node.func.value)
            if node.func.attr in READING or (node.func.attr == "get" and of in AMBIENT):
                names = node.args[:1]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in AMBIENT:
            names = [node.slice]
        for name in names:
            if isinstance(name, ast.Constant) and re.fullmatch(r"[A-Z][A-Z0-9_]*", str(name.value)):
                yield str(name.value), name.lineno


def sources() -> list[Path]:
    """Everything but what a manifest tells its variables: programs of `task perf` and skeletons; and the tests."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    apart = ("tests/", "bench/perf/programs/", "docs/examples/", "targets/eventsourcing/")
    return [ROOT / name for name in listed.stdout.split() if not name.startswith(apart) and (ROOT / name).exists()]


def test_nobody_spells_a_name_to_read_it() -> None:
    found = [f"{path.relative_to(ROOT)}:{line} {name}" for path in sources() for name, line in literals(path)]
    assert [one for one in found if one.split()[-1] not in OTHERS] == []


@pytest.mark.parametrize(
    "code",
    ["env.integer('VUS', 1, low=1, high=2)", "os.environ.get('VUS')", "os.environ['VUS']", "env.optional('VUS')"],
)
def test_the_check_finds_a_name_that_is_spelled(code: str, tmp_path: Path) -> None:
    path = tmp_path / "reading.py"
    path.write_text(code)
    assert [name for name, _ in literals(path)] == ["VUS"]


def test_one_entry_is_enough_for_a_new_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown, passed on by compose.yaml, checked and handed on by the bench, and given to a child."""
    planted = Integer("PLANTED", "what is planted", 3, 1, 9, readers=("loadgen",), lead=True)
    monkeypatch.setattr(load, "PLANTED", planted, raising=False)
    assert "# what is planted (1 to 9)\n#PLANTED=3\n" in pages.example()
    texts = {path.name: text for path, text in written().items()}
    assert "| `PLANTED` | `3` | what is planted |" in texts["README.md"]
    loadgen = texts["compose.yaml"].partition("\n  loadgen:\n")[2].partition("\n  loadgen-worker:\n")[0]
    assert texts["compose.yaml"].count("      PLANTED:\n") == loadgen.count("      PLANTED:\n") == 1
    assert Bench.from_env({"PLANTED": "7"}).environment()["PLANTED"] == "7"
    assert Bench.from_env({"PLANTED": "7"}).recorded()["PLANTED"] == 7
    with pytest.raises(SettingError, match=r"^PLANTED='0' is not usable: expected a whole number, 1 to 9$"):
        Bench.from_env({"PLANTED": "0"})
    ambient = {"PLANTED": "7", "LEASE_SECONDS": "9"}
    assert children.PYTHON.reading("loadgen").environment(ambient=ambient)["PLANTED"] == "7"
    assert "LEASE_SECONDS" not in children.PYTHON.reading("loadgen").environment(ambient=ambient)
