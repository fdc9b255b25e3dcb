"""Public seams only, as far as the syntax tells: what a file takes from others is theirs to give.

Found are imports of private modules and names, private attributes of what is not our own, and values that are given to
what was imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final, TypeGuard

PUBLIC: Final = {"_asdict", "_fields", "_make", "_replace", "_mapping", "_exit", "_insert_tracking"}
"""Documented by their libraries: named tuples, SQLAlchemy's rows, `os._exit`, eventsourcing's own."""

GIVEN: Final = {"os.environ", "sys.stdout", "sys.stderr", "sys.unraisablehook"}
"""The standard library's own places for a program to put something."""


def imports(tree: ast.Module) -> Iterator[str]:
    """Private modules and names that are imported, of ours as of libraries: a private name belongs to its file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"{node.lineno} import {name.name}" for name in node.names if _hidden(name.name))
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]
            yield from (f"{node.lineno} import {name}" for name in names if _hidden(name))


def attributes(tree: ast.Module, ours: set[str], opened: tuple[str, ...] = ()) -> Iterator[str]:
    """Private attributes that are not our own.

    One of `self` is ours if any of our classes defines it, one of something else only if this very file does, or if it
    is that of a module from one of the packages `opened`.
    """
    here = definitions([tree])
    inside = {name for name, path in _imported(tree).items() if path.split(".")[0] in opened}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _private(node.attr) and node.attr not in PUBLIC:
            mine = ours if _of_itself(node.value) else here
            if node.attr not in mine and ast.unparse(node.value) not in inside:
                yield f"{node.lineno} {ast.unparse(node)}"


def definitions(trees: Iterable[ast.Module]) -> set[str]:
    """Private names that these files' classes and functions define."""
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif _is_set(node):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _of_itself(node.value):
            found.add(node.attr)
    return {name for name in found if _private(name)}


def assignments(tree: ast.Module) -> Iterator[str]:
    """Values that are given to, or taken from, an attribute of something that was imported."""
    taken = set(_imported(tree)) - {node.id for node in ast.walk(tree) if _is_set(node)}
    for target in (each for node in ast.walk(tree) for each in _targets(node)):
        base: ast.expr = target
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        told = ast.unparse(target)
        of_others = isinstance(base, ast.Name) and base is not target and base.id in taken
        if of_others and not any(told.startswith(given) for given in GIVEN):
            yield f"{target.lineno} {told} = …"


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """What a statement, or a call of setattr or delattr, gives a value to or takes it from."""
    if isinstance(node, ast.Assign | ast.Delete):
        for target in node.targets:
            yield from target.elts if isinstance(target, ast.Tuple) else [target]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        yield node.target
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr"):
        yield ast.Attribute(node.args[0], "…", ast.Store(), lineno=node.lineno, col_offset=0)


def _imported(tree: ast.Module) -> dict[str, str]:
    """The names that a file has from others, and where from."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.asname or name.name.split(".")[0]: name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    return found


def _is_set(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _hidden(path: str) -> bool:
    return path.split(".", maxsplit=1)[0] != "__future__" and any(_private(part) for part in path.split("."))


def _private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__")) and name != "_"


def _of_itself(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
