"""Every module says on its first line what it is, in one sentence that stands alone."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.house.tree import PACKAGES, sources


def fault(tree: ast.Module) -> str | None:
    """What a module's first line lacks."""
    said = ast.get_docstring(tree)
    if not said:
        return "no docstring"
    first, _, rest = said.partition("\n")
    if not first.endswith((".", "?", ":", "!")):
        return f"the first line is no sentence: {first}"
    return "no empty line after the first" if rest and not rest.startswith("\n") else None


def test_every_module_says_what_it_is() -> None:
    found = {
        path: fault(tree) for path, tree in sources(*PACKAGES).items() if not path.startswith("migrations/versions")
    }
    assert {path: why for path, why in found.items() if why} == {}


@pytest.mark.parametrize(
    "code", ["", "x = 1", '"""A lease that goes\non."""', '"""A lease"""', '"""A lease.\nIt ends."""']
)
def test_a_module_that_does_not_is_found(code: str) -> None:
    assert fault(ast.parse(code))
