"""Manifests of targets: read strictly; whatever is wrong is refused with the file, the place and what to do."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from metrics.records.sections import target as result
from settings import SettingError
from settings.targets import document, reader
from settings.targets.errors import BadTarget
from tests.architecture.house.tree import ROOT
from tests.unit.targets.manifests import SOUND, written


def test_a_folder_of_ones_own_is_a_target_by_its_path(tmp_path: Path) -> None:
    target = reader.load(str(written(tmp_path)))
    assert (target.name, target.key, target.version, target.store) == ("mine", "mine", "1.2", "postgres")
    assert (target.most_projectors, target.ours, target.offers("events"), target.offers("leases")) == (
        2,
        False,
        True,
        False,
    )
    assert target.runs_in("parallel")
    assert not target.runs_in("serial")


def test_a_variant_overrides_keys_merges_the_environment_and_leaves_a_table_out(tmp_path: Path) -> None:
    target = reader.load(f"{written(tmp_path)}:inline")
    assert (target.name, target.key, target.title) == ("mine:inline", "mine", "One of mine, inline")
    assert target.projector is None
    assert target.most_projectors == 0
    assert target.environment == {"DATABASE_URL": "{database}", "PROJECTION": "inline"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "One of mine"\n', "", "$: Object missing required field `title`"),
        ('version = "1.2"', 'version = "1.2"\ncolour = "red"', "$: Object contains unknown field `colour`"),
        ('store = "postgres"', 'store = "oracle"', "$.store: Invalid enum value 'oracle'"),
        ('class = "documented"', 'class = "best"', "$.class: Invalid enum value 'best'"),
        ('modes = ["parallel"]', "modes = []", "$.modes: Expected `array` of length"),
        ('modes = ["parallel"]', 'modes = ["parallel", "parallel"]', "$.modes: one is there twice"),
        ('"events", "applied"', '"events", "magic"', "$.capabilities[1]: Invalid enum value 'magic'"),
        ('"events", "applied"', '"applied"', '$.proof: "log" needs the capability "events"'),
        ('proof = "log"', 'proof = "store"', '$.proof: "store" is that of our own schema'),
        ("most = 2", "most = 0", "$.projector.most: Expected `int` >= 1"),
        ("most = 2", "least = 2", "$.projector: Object contains unknown field `least`"),
        ("{port}", "{harbour}", "$.api.command[2]: there is no placeholder {harbour}"),
        ('WHO = "{name}"', 'WHO = "{whom}"', "$.projector.environment.WHO: there is no placeholder {whom}"),
        ('store = "postgres"', 'store = "sqlite"', "$.environment.DATABASE_URL: {database} without a Postgres"),
        ("[migrate]", '[install]\nkind = "python"\n\n[migrate]', "$.install: requirements.lock is not beside it"),
        ("[migrate]", '[install]\nkind = "cargo"\n\n[migrate]', "$.install.kind: Invalid enum value 'cargo'"),
        ("projector = false", "projector = true", "$.variants.inline.projector: Expected `object | null`, got `bool`"),
        ("projector = false", 'install = {kind = "node"}', "$.variants.inline.install: is that of the whole file"),
        ('{PROJECTION = "inline"}', '"none"', "$.variants.inline.environment: Expected `object`"),
        ("[variants.inline]", '[variants."In Line"]', "$.variants: 'In Line' is no name"),
        ("[api]", "[api", "Expected ']'"),
    ],
)
def test_what_is_wrong_is_refused_with_its_file_and_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert SOUND.count(old) == 1
    folder = written(tmp_path, SOUND.replace(old, new))
    with pytest.raises(BadTarget) as refusal:
        reader.load(str(folder))
    told = str(refusal.value)
    assert told.startswith(f"{folder / 'target.toml'}: ")
    assert said in told
    assert "; " in told
    assert "\n" not in told


def test_a_file_that_can_not_be_read_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(
        BadTarget, match=r"nowhere/target\.toml: there is no such file; name a folder with a target\.toml"
    ):
        reader.load(str(tmp_path / "nowhere"))
    folder = written(tmp_path)
    (folder / "target.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(BadTarget, match="byte 9 is no UTF-8"):
        reader.load(str(folder))
    (folder / "target.toml").write_bytes(b"#" * (reader.LARGEST + 1))
    with pytest.raises(BadTarget, match="is larger than"):
        reader.load(str(folder))
    with pytest.raises(BadTarget, match="'Mine' is no name for a target"):
        reader.load(str(written(tmp_path, name="Mine")))


def test_a_name_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^TARGET='nonsense' is not usable: expected one of tidemark"):
        reader.load("nonsense")
    with pytest.raises(BadTarget, match=r"there is no variant 'other'; name one of its variants \(inline\)"):
        reader.load(f"{written(tmp_path)}:other")
    with pytest.raises(BadTarget, match="a target that is named tidemark comes with us"):
        reader.load(str(written(tmp_path, name="tidemark")))


def test_what_runs_elsewhere_has_a_free_name() -> None:
    assert reader.elsewhere("my-service:v2", proof="read-back").name == "my-service:v2"
    with pytest.raises(SettingError, match=r"^TARGET='a b' is not usable: expected with BASE_URL a name"):
        reader.elsewhere("a b", proof="read-back")


@pytest.mark.parametrize("name", reader.names())
def test_every_manifest_that_comes_with_us_can_be_used(name: str) -> None:
    target = reader.load(name)
    assert [reader.load(f"{name}:{variant}").key for variant in target.variants] == [name] * len(target.variants)


@pytest.mark.parametrize("name", reader.names())
def test_every_target_has_a_place_where_its_owner_can_answer(name: str) -> None:
    assert (reader.load(name).folder / "NOTES.md").read_text(encoding="utf-8").startswith("# ")


def test_ours_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert reader.load().version == project["version"]
    assert reader.names()[0] == reader.DEFAULT


def test_results_and_manifests_have_the_same_words() -> None:
    assert get_args(document.Class) == get_args(result.Class)
    assert get_args(document.Proof) == get_args(result.Proof)
