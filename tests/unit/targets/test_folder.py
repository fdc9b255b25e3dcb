"""Installs of targets: what is there, what it was made from, and programs that are copied before each start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import ROOT
from bench.ends.errors import SetupError
from bench.platforms.targets import folder
from bench.platforms.targets.here import every
from bench.platforms.targets.versions import versions_of
from settings.targets import reader
from settings.targets.manifest import Manifest
from tests.unit.targets.manifests import SOUND, written

INSTALLED = SOUND.replace("[migrate]", '[install]\nkind = "python"\n\n[migrate]')
LOCK = "Attrs==23.1.0 \\\n    --hash=sha256:abc\npsycopg[binary]==3.2.1 ; python_version >= '3.11'\n"


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """A target with an install, which is not there."""
    monkeypatch.setattr(folder, "INSTALLS", tmp_path / ".targets")
    made = written(tmp_path, INSTALLED)
    (made / "requirements.lock").write_text(LOCK)
    (made / "api.py").write_text("first")
    return reader.load(str(made))


def install(target: Manifest) -> None:
    """What the installer leaves."""
    folder.install_folder(target).mkdir(parents=True)
    folder.stamp(target)


def test_one_without_an_install_runs_from_the_root_by_our_own_python(tmp_path: Path) -> None:
    target = reader.load(str(written(tmp_path)))
    place = folder.opened(target)
    assert (place.folder, place.cwd, place.python) == (target.folder, ROOT, sys.executable)


def test_one_that_is_not_installed_is_refused_with_what_to_do(target: Manifest) -> None:
    with pytest.raises(
        SetupError, match=r"^TARGET=mine: is not installed in .*; run `task targets:install -- .*/mine`$"
    ):
        folder.opened(target)


def test_one_whose_lock_has_changed_is_refused(target: Manifest) -> None:
    install(target)
    assert folder.lacking(target) == ("", "")
    (target.folder / "requirements.lock").write_text(LOCK.replace("23.1.0", "23.2.0"))
    with pytest.raises(
        SetupError, match=r"its lock is not the one that .* was installed from; run `task targets:install -- .*/mine`"
    ):
        folder.opened(target)


def test_without_node_its_target_is_left_out_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "INSTALLS", tmp_path / ".targets")
    monkeypatch.setenv("PATH", str(tmp_path))
    made = written(tmp_path, INSTALLED.replace('"python"\n\n[migrate]', '"node"\n\n[migrate]'))
    (made / "package-lock.json").write_text("{}")
    (made / "package.json").write_text("{}")
    target = reader.load(str(made))
    assert folder.lacking(target) == ("there is no Node here", folder.NO_NODE)
    own = folder.install_folder(target) / "node_modules" / ".bin" / "node"
    own.parent.mkdir(parents=True)
    own.write_text("")
    folder.stamp(target)
    assert folder.opened(target).node == str(own), "that of its packages stands above that of PATH"


def test_programs_are_copied_anew_and_packages_stay(target: Manifest) -> None:
    install(target)
    place = folder.opened(target)
    (place.folder / ".venv").mkdir()
    (place.folder / ".venv" / "package.py").write_text("theirs")
    (target.folder / "api.py").write_text("second")
    (target.folder / "inner").mkdir()
    (target.folder / "inner" / "more.py").write_text("more")
    again = folder.opened(target)
    assert (again.cwd / "api.py").read_text() == "second"
    assert (again.cwd / "inner" / "more.py").read_text() == "more"
    assert (again.cwd / ".venv" / "package.py").read_text() == "theirs"
    assert again.python == str(again.cwd / ".venv" / "bin" / "python")
    assert [path.name for path in again.cwd.iterdir() if path.name.startswith(".api")] == []


def test_its_versions_are_those_of_its_lock(target: Manifest) -> None:
    told = versions_of(target)
    assert (told["name"], told["version"]) == ("mine", "1.2")
    assert told["packages"] == {"attrs": "23.1.0", "psycopg": "3.2.1"}
    assert told["lock"].startswith("sha256:")


def test_ours_is_here_and_first() -> None:
    first = next(iter(every()))
    assert (first.target.name, first.problem, first.remedy) == ("tidemark", "", "")
