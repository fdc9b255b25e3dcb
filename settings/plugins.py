"""Plug-in discovery: the modules of a folder by their names, and anybody else's module by its dotted path.

A folder of kinds (strategies, read models, faults) has one file a kind; its name in settings is the file's, with dashes
for underscores. A dotted name is a module of somebody else's, found where Python looks for modules (PYTHONPATH).
Nothing is imported to list what there is, so a process may check a name without knowing the module.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec
from types import ModuleType

from settings.environment import SettingError


def offered(package: str) -> tuple[str, ...]:
    """The names of what a package has, in alphabetical order. Imports the packages above it alone."""
    spec = find_spec(package)
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
    path = f"{package}.{name.replace('-', '_')}" if name in offered(package) else check(variable, package, name)
    try:
        return importlib.import_module(path)
    except ImportError as error:
        raise SettingError(variable, name, f"a module that can be imported ({error})") from error


def _is_elsewhere(name: str) -> bool:
    if "." not in name or not all(part.isidentifier() for part in name.split(".")):
        return False
    try:
        return find_spec(name) is not None
    except ImportError:
        return False
