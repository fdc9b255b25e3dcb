"""Scenarios by name: what each is, and its default settings. The load generator knows how to carry them out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from bench.bundle.reading import refusing
from metrics.reading import BadDocument, convert
from settings import catalogue
from settings.catalogue.kinds import Text
from settings.catalogue.load import SCENARIO
from settings.spelling import spelled

FOLDER = Path(__file__).parent
CORRECT = "correct the file"


@dataclass(frozen=True)
class Scenario:
    """A name, a line of description, and default settings as environment variables."""

    name: str
    description: str
    defaults: dict[str, str]


class Document(TypedDict):
    """A scenario's file."""

    description: str
    settings: dict[str, bool | int | float | str]


def names() -> list[str]:
    """All scenarios, the default one first."""
    return sorted((path.stem for path in FOLDER.glob("*.toml")), key=lambda name: (name != "throughput", name))


def load(name: str) -> Scenario:
    """Read one scenario. Raises SetupError with the file, the place in it and what is wrong."""
    with refusing():
        return _read(FOLDER / f"{name}.toml")


def _read(path: Path) -> Scenario:
    if path.stem not in SCENARIO.choices:
        raise BadDocument(path, "the load generator carries out no such scenario", f"name one of {', '.join(names())}")
    try:
        document = convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), Document, path)
    except OSError as error:
        raise BadDocument(path, f"can not be read: {error.strerror}", CORRECT) from None
    except UnicodeDecodeError as error:
        raise BadDocument(path, f"byte {error.start} is no UTF-8", CORRECT) from None
    except tomllib.TOMLDecodeError as error:
        raise BadDocument(path, str(error), CORRECT) from None
    of_a_run = (setting for setting in catalogue.every() if "bench" in setting.readers or setting.passes_the_bench)
    known = {setting.name for setting in of_a_run if not isinstance(setting, Text)}
    if unknown := sorted(set(document["settings"]) - known):
        raise BadDocument(
            path, f"$.settings.{unknown[0]}: no setting of a run", f"name some of {', '.join(sorted(known))}"
        )
    defaults = {variable: spelled(value) for variable, value in document["settings"].items()}
    return Scenario(path.stem, document["description"], defaults)
