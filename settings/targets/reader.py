"""Strict reader of targets' manifests: by a name of `targets/`, or by the path of a folder of one's own.

A refusal is a BadTarget, a SettingError: one line with the file, the place in it, what is wrong and what to do.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from settings.catalogue.load import TARGET
from settings.environment import SettingError
from settings.targets.document import PLACEHOLDERS, Document, Proof
from settings.targets.errors import BadTarget
from settings.targets.manifest import Manifest

FOLDER: Final = Path(__file__).resolve().parents[2] / "targets"
FILE: Final = "target.toml"
DEFAULT: Final = "tidemark"
LARGEST: Final = 32 * 1024
CORRECT: Final = "correct the file"
REMOVABLE: Final = ("migrate", "projector")
"""Tables that a variant leaves out by `false`."""
LOCKS: Final = {"python": "requirements.lock", "node": "package-lock.json"}
"""The file that pins every package, by the kind of the install."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_FREE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,59}", re.ASCII)
_PLACE: Final = " - at `"


def names() -> list[str]:
    """The targets that come with us, our own first."""
    return sorted((path.parent.name for path in FOLDER.glob(f"*/{FILE}")), key=lambda name: (name != DEFAULT, name))


def load(which: str = DEFAULT) -> Manifest:
    """The target of `name`, `name:variant`, or the path of a folder, a variant behind it. Raises SettingError."""
    place, _, variant = which.partition(":")
    if "/" in place:
        folder = Path(place)
        if folder.resolve().parent != FOLDER and folder.resolve().name in names():
            taken = f"a target that is named {folder.resolve().name} comes with us"
            raise BadTarget(folder, taken, "give the folder another name")
    elif place in names():
        folder = FOLDER / place
    else:
        known = ", ".join(names())
        raise SettingError(TARGET.name, which, f"one of {known}, with :variant or without, or the path of a folder")
    return _read(folder.resolve(), variant)


def own_path(target: Manifest) -> str:
    """The path of a target's folder that does not come with us, as `../mine`, no matter where it was; else empty."""
    return f"../{target.folder.name}" if target.told and target.folder.parent != FOLDER else ""


def elsewhere(name: str, *, proof: Proof) -> Manifest:
    """What runs at BASE_URL, by a free name. Raises SettingError."""
    if not _FREE.fullmatch(name):
        raise SettingError(TARGET.name, name, "with BASE_URL a name of letters, digits and . _ : -, 60 at most")
    return Manifest.elsewhere(name, proof)


def _read(folder: Path, variant: str) -> Manifest:
    path = folder / FILE
    if not _NAME.fullmatch(folder.name):
        raise BadTarget(folder, f"{folder.name!r} is no name for a target", "use small letters, digits and dashes")
    text = _text(path)
    raw = _toml(text, path)
    target = _manifest(raw, path, folder.name, text)
    found = {name: _variant(raw, name, path, text) for name in target.variants}
    if not variant:
        return target
    if variant not in found:
        known = ", ".join(found) or "it has none"
        raise BadTarget(path, f"$.variants: there is no variant {variant!r}", f"name one of its variants ({known})")
    return found[variant]


def _variant(raw: dict[str, Any], name: str, path: Path, text: str) -> Manifest:
    """The file with the variant's keys above its own: the environment is merged, a table that is false is left out."""
    place = f"$.variants.{name}"
    if not _NAME.fullmatch(name):
        raise BadTarget(path, f"$.variants: {name!r} is no name", "use small letters, digits and dashes")
    own = raw["variants"][name]
    for key in ("install", "variants"):
        if key in own:
            raise BadTarget(path, f"{place}.{key}: is that of the whole file", "leave it out of the variant")
    merged = {**raw, **own}
    merged["environment"] = {**raw.get("environment", {}), **_table(own.get("environment", {}), place, path)}
    merged = {key: value for key, value in merged.items() if not (key in REMOVABLE and value is False)}
    del merged["variants"]
    return _manifest(merged, path, f"{path.parent.name}:{name}", text, place)


def _table(value: Any, place: str, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadTarget(path, f"{place}.environment: Expected `object`", CORRECT)
    return value


def _manifest(raw: dict[str, Any], path: Path, name: str, text: str, place: str = "$") -> Manifest:
    try:
        document = msgspec.convert(raw, Document)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(_PLACE)
        where = where.replace("` in `", " of ").rstrip("`").removeprefix("$")
        raise BadTarget(path, f"{place}{where}: {problem}", CORRECT) from None
    target = Manifest.of(document, name=name, folder=path.parent, text=text)
    _check(target, path, place)
    return target


def _check(target: Manifest, path: Path, place: str) -> None:
    """What its schema can not say. Raises BadTarget."""
    for found, where in target.placeholders():
        if found not in PLACEHOLDERS:
            known = ", ".join(sorted(PLACEHOLDERS))
            raise BadTarget(path, f"{place}{where[1:]}: there is no placeholder {{{found}}}", f"use one of {known}")
        if found == "database" and target.store != "postgres":
            raise BadTarget(path, f"{place}{where[1:]}: {{database}} without a Postgres", 'say store = "postgres"')
    for field in ("modes", "capabilities"):
        told = getattr(target, field)
        if len(set(told)) != len(told):
            raise BadTarget(path, f"{place}.{field}: one is there twice", CORRECT)
    if target.proof == "log" and not target.offers("events"):
        raise BadTarget(path, f'{place}.proof: "log" needs the capability "events"', "declare it, or say read-back")
    if target.proof == "store" and target.name != DEFAULT:
        problem = f'{place}.proof: "store" is that of our own schema, which {DEFAULT} alone has'
        raise BadTarget(path, problem, 'say "log" or "read-back"')
    if target.install is not None and not (lock := path.parent / LOCKS[target.install.kind]).is_file():
        raise BadTarget(path, f"{place}.install: {lock.name} is not beside it", "pin every package in that file")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise BadTarget(path, f"is larger than {LARGEST} bytes", CORRECT)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise BadTarget(path, "there is no such file", f"name a folder with a {FILE}") from None
    except UnicodeDecodeError as error:
        raise BadTarget(path, f"byte {error.start} is no UTF-8", CORRECT) from None
    except OSError as error:
        raise BadTarget(path, f"can not be read: {error.strerror}", f"name a folder with a {FILE}") from None


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BadTarget(path, "is nested too deeply", CORRECT) from None
    except ValueError as error:
        raise BadTarget(path, str(error), CORRECT) from None
