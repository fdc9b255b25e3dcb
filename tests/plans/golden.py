"""The SQL of every module-level Statement, as files: a change of what Postgres is asked shows in the diff.

`python -m tests.plans.golden` writes them again.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Final

import eventstore
import projection
import services.api
import services.projector
import todo
from eventstore.connection.database import Statement
from projection.statement.each import statements as each
from projection.statement.handler import SetHandler
from projection.statement.shapes import GLOBAL_ORDER, STREAM_LEASES, STREAM_LOCKS
from tests.read_models import BOTH, READ_MODELS

FOLDER: Final = Path(__file__).parent / "golden"
PACKAGES: Final = (eventstore, projection, todo, services.api, services.projector)


def all_statements() -> dict[str, Statement]:
    """Every statement that is a name of a module, by module and name; one that is imported counts where it is made."""
    found: dict[str, Statement] = {}
    seen: set[int] = set()
    for name in sorted(_modules()):
        for attribute, value in sorted(vars(importlib.import_module(name)).items()):
            if isinstance(value, Statement) and id(value) not in seen:
                seen.add(id(value))
                found[f"{name}.{attribute}"] = value
    return found | composed()


def composed() -> dict[str, Statement]:
    """The statements that a projector puts together: with the SQL of its read models, and around their functions."""
    shapes = {"GLOBAL_ORDER": GLOBAL_ORDER, "STREAM_LEASES": STREAM_LEASES, "STREAM_LOCKS": STREAM_LOCKS}
    found = {"projection.statement.each.statements.unseen": each.unseen(STREAM_LEASES.parts)}
    for name, shape in shapes.items():
        found[f"projection.statement.shapes.{name}"] = SetHandler(READ_MODELS).statement(shape)
        found[f"projection.statement.shapes.{name}.with_activity"] = SetHandler(BOTH).statement(shape)
        found[f"projection.statement.each.statements.held.{name}"] = each.held(shape, shape.parts)
        found[f"projection.statement.each.statements.checkpoint.{name}"] = each.checkpoint(shape)
    return found


def _modules() -> list[str]:
    return [
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        if not module.name.endswith(".__main__")
    ]


def text_of(statement: Statement) -> str:
    """What stands in the file."""
    return statement.sql.strip() + "\n"


def write() -> None:
    """Write all files anew, and remove those of statements that are gone."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.sql"):
        old.unlink()
    for name, statement in all_statements().items():
        (FOLDER / f"{name}.sql").write_text(text_of(statement), encoding="utf-8")


if __name__ == "__main__":
    write()
