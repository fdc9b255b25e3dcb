"""Of libraries we use what they offer, and nobody changes what is another module's."""

from __future__ import annotations

import ast
from typing import Final

import pytest

from tests.architecture.house import seams
from tests.architecture.house.tree import PACKAGES, sources

OURS: Final = (*PACKAGES, "tests")


def test_the_house_takes_nothing_private_and_changes_nothing_of_others() -> None:
    trees = sources(*PACKAGES)
    defined = seams.definitions(trees.values())
    found = [
        f"{path}:{offence}"
        for path, tree in trees.items()
        for offence in (*seams.imports(tree), *seams.attributes(tree, defined), *seams.assignments(tree))
    ]
    assert found == []


def test_tests_take_nothing_private_of_libraries() -> None:
    """Of our own modules they may; what they change there, pytest's monkeypatch puts back."""
    trees = sources("tests")
    defined = seams.definitions(sources(*OURS).values())
    found = [
        f"{path}:{offence}"
        for path, tree in trees.items()
        for offence in (*seams.imports(tree), *seams.attributes(tree, defined, OURS), *seams.assignments(tree))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "from uvicorn.protocols._httptools import Protocol",
        "import asyncpg._testbase",
        "from asyncpg import _connection",
        "from projection.leases.streams import _claim",
    ],
)
def test_a_private_import_is_found(code: str) -> None:
    assert list(seams.imports(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "session._retry_connection = True",
        "pool._holders.pop()",
        "class A(Base):\n    def a(self): return self._transport",
    ],
)
def test_a_private_attribute_is_found(code: str) -> None:
    assert list(seams.attributes(ast.parse(code), {"_mine"}))


@pytest.mark.parametrize(
    "code",
    [
        "class A:\n    def a(self): self._mine = 1\n    def b(self, other): return other._mine",
        "class A(Base):\n    def a(self): return self._inherited",
        "row = old._replace(a=1)",
    ],
)
def test_a_private_attribute_of_our_own_passes(code: str) -> None:
    assert list(seams.attributes(ast.parse(code), {"_mine", "_inherited"})) == []


@pytest.mark.parametrize(
    "code",
    [
        "import gevent.client\ngevent.client.METHODS = ()",
        "from services.api import bounds\nbounds.GRACE_S = 1",
        "from services.api import bounds\nbounds.TABLE['a'] = 1",
        "from services.api import bounds\nbounds.GRACE_S += 1",
        "from services.api import bounds\ndel bounds.GRACE_S",
        "import bounds\nsetattr(bounds, 'GRACE_S', 1)",
    ],
)
def test_an_assignment_to_what_is_anothers_is_found(code: str) -> None:
    assert list(seams.assignments(ast.parse(code)))


@pytest.mark.parametrize(
    "code", ["import os\nos.environ['A'] = 'b'", "from bench import page\npage = read()\npage['a'] = 1", "self.a = 1"]
)
def test_an_assignment_to_our_own_passes(code: str) -> None:
    assert list(seams.assignments(ast.parse(code))) == []
