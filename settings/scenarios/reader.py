"""Strict reader of scenario files: by a shipped name, by a path, or from text. Anything unknown is refused by name.

A refusal is a BadScenario, a SettingError: one line with the file, the place in it, what is wrong and what to do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from settings import Environment, SettingError, catalogue
from settings.catalogue.kinds import Setting, Text
from settings.catalogue.load import SCENARIO, SCENARIO_TEXT
from settings.environment import spelled
from settings.scenarios.document import Document
from settings.scenarios.errors import BadScenario
from settings.scenarios.rules import check
from settings.scenarios.scenario import Scenario

FOLDER: Final = Path(__file__).resolve().parents[2] / "scenarios"
DEFAULT: Final = "throughput"
LARGEST: Final = 16 * 1024
"""Bytes of a file: its text travels to other processes in one environment variable."""
CORRECT: Final = "correct the file"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)
_PLACE: Final = " - at `"


def names() -> list[str]:
    """The shipped scenarios, the default one first."""
    return sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (name != DEFAULT, name))


def load(which: str = DEFAULT) -> Scenario:
    """The scenario of a shipped name, or of a path ending in `.toml`. Raises SettingError."""
    if which in names():
        return _read(FOLDER / f"{which}.toml")
    if not which.endswith(".toml"):
        raise SettingError(
            SCENARIO.name, which, f"one of {', '.join(names())}, or the path of a file that ends in .toml"
        )
    return _read(Path(which))


def told(variables: Mapping[str, str]) -> Scenario:
    """The scenario of SCENARIO; its text is SCENARIO_TEXT where that is given. Raises SettingError."""
    which = SCENARIO.read(Environment(variables))
    text = variables.get(SCENARIO_TEXT.name, "")
    return parse(text, Path(f"{which} ({SCENARIO_TEXT.name})"), which) if text.strip() else load(which)


def parse(text: str, path: Path, name: str, *, shipped: bool = False) -> Scenario:
    """The scenario of a text; `path` is where it is from, for refusals. Raises BadScenario."""
    if not _NAME.fullmatch(name):
        raise BadScenario(path, f"{name!r} is no name for a scenario", "name the file with letters, digits, - and _")
    if not shipped and name in names():
        raise BadScenario(path, f"a scenario that is named {name} is shipped", "give the file another name")
    if len(text.encode()) > LARGEST:
        raise BadScenario(path, f"is larger than {LARGEST} bytes", CORRECT)
    document = _convert(_toml(text, path), path)
    settings = _settings(document, path)
    scenario = Scenario(
        name=name,
        description=document.description,
        settings=settings,
        phases=document.phases,
        mixes=document.mixes,
        visibility_probe=document.visibility_probe,
        text=text,
        shipped=shipped,
    )
    check(scenario, path)
    return scenario


def _read(path: Path) -> Scenario:
    try:
        if path.exists() and not path.is_file():
            raise BadScenario(path, "is a folder or a device, not a file", "name a scenario's file")
        with path.open("rb") as file:
            text = file.read(LARGEST + 1).decode("utf-8-sig")
    except FileNotFoundError:
        raise BadScenario(path, "there is no such file", f"name a file, or one of {', '.join(names())}") from None
    except (OSError, ValueError) as error:
        at = f"byte {error.start} is no UTF-8" if isinstance(error, UnicodeDecodeError) else f"can not be read: {error}"
        raise BadScenario(path, at, CORRECT) from None
    return parse(text, path, path.stem, shipped=path.resolve().parent == FOLDER)


def _toml(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BadScenario(path, "is nested too deeply", CORRECT) from None
    except ValueError as error:
        raise BadScenario(path, str(error), CORRECT) from None


def _convert(raw: dict[str, Any], path: Path) -> Document:
    """The mixes one by one, so that a refusal names the mix; then the whole."""
    mixes = raw.get("mixes")
    if isinstance(mixes, dict):
        for name, mix in mixes.items():
            _typed({**raw, "mixes": {name: mix}}, path, f"$.mixes.{name}")
    return _typed(raw, path)


def _typed(raw: dict[str, Any], path: Path, place: str = "") -> Document:
    try:
        return msgspec.convert(raw, Document)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(_PLACE)
        where = where.replace("` in `", " of ").rstrip("`") or "$"
        raise BadScenario(path, f"{where.replace('$.mixes[...]', place or '$.mixes')}: {problem}", CORRECT) from None


def _settings(document: Document, path: Path) -> dict[str, str]:
    """The settings as variables, each within the bounds of its declaration."""
    known = {setting.name: setting for setting in catalogue.every() if _is_of_a_run(setting)}
    told = {name: spelled(value) for name, value in document.settings.items()}
    for name, value in told.items():
        if name not in known:
            can_be = f"name some of {', '.join(sorted(known))}"
            raise BadScenario(path, f"$.settings.{name}: no setting of a run", can_be)
        try:
            known[name].read(Environment({name: value}))
        except SettingError as error:
            raise BadScenario(path, f"$.settings.{error}", CORRECT) from None
    return told


def _is_of_a_run(setting: Setting) -> bool:
    """Numbers and choices that the bench reads or passes on; addresses, ports and secrets are a machine's affair."""
    reaches = "bench" in setting.readers or setting.passes_the_bench
    return reaches and setting.stack != () and not isinstance(setting, Text)
