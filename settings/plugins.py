"""Plug-in discovery: the modules of a folder by their names, and anybody else's module by its dotted path.

A folder of kinds (strategies, read models, faults) has one file a kind; its name in settings is the file's, with dashes
for underscores. A folder within it is none: what several of its files share may stand there. A dotted name is a module
of somebody else's, found where Python looks for modules (PYTHONPATH).
Nothing is imported to list what there is, nor to read what a module declares of itself, so a process may check a name,
and know what is behind it, without knowing the module.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final

from settings.environment import SettingError

LONGEST: Final = 300
"""Characters of a reason that are shown."""


def offered(package: str) -> tuple[str, ...]:
    """The names of what a package has, in alphabetical order, none without it. Imports the packages above it alone."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        return ()
    folders = (spec.submodule_search_locations or []) if spec else []
    found = [module for module in pkgutil.iter_modules(folders) if not module.ispkg]
    return tuple(sorted(module.name.replace("_", "-") for module in found))


def check(variable: str, package: str, name: str) -> str:
    """The name, if there is such a module. Raises SettingError that names the variable and what there is."""
    if name not in offered(package) and not _is_elsewhere(variable, name):
        known = ", ".join(offered(package))
        raise SettingError(variable, name, f"one of {known}, or the dotted path of a module that PYTHONPATH leads to")
    return name


def load(variable: str, package: str, name: str) -> ModuleType:
    """The module of that name. Raises SettingError where there is none, or where it can not be imported."""
    with refused(variable, name, "a module that can be imported"):
        return importlib.import_module(_path(variable, package, name))


@contextmanager
def refused(variable: str, name: str, expected: str) -> Iterator[None]:
    """Whatever somebody's code raises within, an exit of its own included, is raised as SettingError with the reason.

    Errors that name a setting already, or an end from outside, pass as they are.
    """
    try:
        yield
    except SettingError:
        raise
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:LONGEST]
        raise SettingError(variable, name, f"{expected} ({reason})") from error


def declared(variable: str, package: str, name: str) -> dict[str, object]:
    """The literal constants of the module of that name, by their names; read from its source, and not imported.

    Raises SettingError where there is no such module, or no source that can be read.
    """
    spec = find_spec(_path(variable, package, name))
    try:
        tree = ast.parse(Path(str(spec and spec.origin)).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise SettingError(variable, name, f"a module whose source can be read ({error})") from error
    return {constant: value for node in tree.body for constant, value in _constant(node)}


def _constant(node: ast.stmt) -> list[tuple[str, object]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            pass
        case _:
            return []
    try:
        return [(name, ast.literal_eval(value))]
    except (ValueError, TypeError):
        return []


def leading_to(*names: str) -> tuple[str, ...]:
    """The variables that a child process needs to find these modules: none where all of them come with us."""
    return ("PYTHONPATH",) if any("." in name for name in names) else ()


def _path(variable: str, package: str, name: str) -> str:
    return f"{package}.{name.replace('-', '_')}" if name in offered(package) else check(variable, package, name)


def _is_elsewhere(variable: str, name: str) -> bool:
    """Imports the packages above it. Raises SettingError where that fails, other than that one of them is missing."""
    if "." not in name or not all(part.isidentifier() for part in name.split(".")):
        return False
    with refused(variable, name, "a module in a package that can be imported"):
        try:
            return find_spec(name) is not None
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
    return False
