"""Plug-in discovery: the modules of a folder by their names, and anybody else's module by its dotted path.

A folder of kinds (strategies, read models, faults) has one file a kind; its name in settings is the file's, with dashes
for underscores. A dotted name is a module of somebody else's, found where Python looks for modules (PYTHONPATH).
Nothing is imported to list what there is, nor to read what a module declares of itself, so a process may check a name,
and know what is behind it, without knowing the module.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from settings.environment import SettingError


def offered(package: str) -> tuple[str, ...]:
    """The names of what a package has, in alphabetical order, none without it. Imports the packages above it alone."""
    try:
        spec = find_spec(package)
    except ModuleNotFoundError:
        return ()
    folders = (spec.submodule_search_locations or []) if spec else []
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(folders)))


def check(variable: str, package: str, name: str) -> str:
    """The name, if there is such a module. Raises SettingError that names the variable and what there is."""
    if name not in offered(package) and not _is_elsewhere(name):
        known = ", ".join(offered(package))
        raise SettingError(variable, name, f"one of {known}, or the dotted path of a module that PYTHONPATH leads to")
    return name


def load(variable: str, package: str, name: str) -> ModuleType:
    """The module of that name. Raises SettingError where there is none, or where it can not be imported."""
    try:
        return importlib.import_module(_path(variable, package, name))
    except ImportError as error:
        raise SettingError(variable, name, f"a module that can be imported ({error})") from error


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
    except ValueError:
        return []


def leading_to(*names: str) -> tuple[str, ...]:
    """The variables that a child process needs to find these modules: none where all of them come with us."""
    return ("PYTHONPATH",) if any("." in name for name in names) else ()


def _path(variable: str, package: str, name: str) -> str:
    return f"{package}.{name.replace('-', '_')}" if name in offered(package) else check(variable, package, name)


def _is_elsewhere(name: str) -> bool:
    if "." not in name or not all(part.isidentifier() for part in name.split(".")):
        return False
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
