"""Plug-ins by name and by dotted path: found, listed without an import, refused by the variable's name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from settings import plugins
from settings.environment import SettingError


def package(folder: Path, name: str, **modules: str) -> None:
    """A package in a folder, with these modules."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    for module, text in modules.items():
        (folder / name / f"{module}.py").write_text(text)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where Python looks for modules."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_what_there_is_is_listed_without_an_import(path: Path) -> None:
    package(path, "kinds_listed", one_lease="", broken="raise RuntimeError")
    package(path / "kinds_listed", "shared", helps="")
    assert plugins.offered("kinds_listed") == ("broken", "one-lease")
    assert not {"kinds_listed.broken", "kinds_listed.one_lease"} & sys.modules.keys()
    with pytest.raises(SettingError, match="one of broken, one-lease, or"):
        plugins.check("STRATEGY", "kinds_listed", "shared")


def test_a_name_and_a_dotted_path_are_found(path: Path) -> None:
    package(path, "kinds_found", one_lease="NAME = 'ours'")
    package(path, "theirs_found", other="NAME = 'theirs'")
    assert plugins.load("STRATEGY", "kinds_found", "one-lease").NAME == "ours"
    assert plugins.load("STRATEGY", "kinds_found", "theirs_found.other").NAME == "theirs"


@pytest.mark.parametrize("name", ["two", "no.such", "theirs_refused.two", "", "..", "os.path/x", "a b.c"])
def test_what_is_not_there_is_refused_by_name(path: Path, name: str) -> None:
    package(path, "kinds_refused", one_lease="")
    package(path, "theirs_refused", other="")
    with pytest.raises(SettingError, match=r"STRATEGY.*one-lease"):
        plugins.check("STRATEGY", "kinds_refused", name)


def test_a_module_that_can_not_be_imported_is_refused(path: Path) -> None:
    package(path, "kinds_broken", needs="import no_such_library")
    with pytest.raises(SettingError, match="no_such_library"):
        plugins.load("STRATEGY", "kinds_broken", "needs")


def test_what_a_module_declares_is_read_without_an_import(path: Path) -> None:
    text = "import no_such_library\nSERIAL = True\nCOST: float = 1.5\nNAMES = ('a', 'b')\nMADE = list()\n"
    package(path, "kinds_declared", one_lease=text)
    package(path, "theirs_declared", other="SERIAL = False", broken="SERIAL = = True")
    told = plugins.declared("STRATEGY", "kinds_declared", "one-lease")
    assert told == {"SERIAL": True, "COST": 1.5, "NAMES": ("a", "b")}
    assert plugins.declared("STRATEGY", "kinds_declared", "theirs_declared.other") == {"SERIAL": False}
    with pytest.raises(SettingError, match=r"STRATEGY.*source"):
        plugins.declared("STRATEGY", "kinds_declared", "theirs_declared.broken")


def test_a_package_that_is_not_installed_offers_nothing() -> None:
    assert plugins.offered("no_such_package.kinds") == ()


@pytest.mark.parametrize(("names", "needed"), [(("one-lease",), ()), (("one-lease", "theirs.other"), ("PYTHONPATH",))])
def test_a_child_is_led_to_the_modules_of_others_alone(names: tuple[str, ...], needed: tuple[str, ...]) -> None:
    assert plugins.leading_to(*names) == needed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NAME = = 'x'", "SyntaxError"),
        ("raise RuntimeError('no disk\\nthere')", "RuntimeError: no disk there"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_whatever_a_module_raises_is_told_in_one_line(path: Path, text: str, reason: str) -> None:
    name = f"theirs_raising_{reason[:3].lower()}"
    package(path, name, other=text)
    with pytest.raises(SettingError, match=f"READ_MODELS='{name}.other' is not usable.*{reason}") as told:
        plugins.load("READ_MODELS", "no_such_package.kinds", f"{name}.other")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["raise RuntimeError('no disk')", "import no_such_library", "SERIAL = = True"])
def test_a_package_that_can_not_be_imported_is_refused_with_its_reason(path: Path, text: str) -> None:
    name = f"theirs_package_{len(text)}"
    package(path, name, other="")
    (path / name / "__init__.py").write_text(text)
    with pytest.raises(SettingError, match=f"STRATEGY='{name}.other'.*(no disk|no_such_library|invalid syntax)"):
        plugins.check("STRATEGY", "no_such_package.kinds", f"{name}.other")
    with pytest.raises(SettingError, match=f"STRATEGY='{name}'|STRATEGY='{name}.other'"):
        plugins.declared("STRATEGY", "no_such_package.kinds", f"{name}.other")


def test_a_constant_that_is_no_literal_is_passed_over(path: Path) -> None:
    package(path, "theirs_literal", other="ODD = {[]: 1}\nSERIAL = True")
    assert plugins.declared("STRATEGY", "no_such_package.kinds", "theirs_literal.other") == {"SERIAL": True}
