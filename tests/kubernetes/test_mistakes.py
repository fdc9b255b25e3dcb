"""Each planted mistake is named: by the rule of ours that knows it, or by the schemas."""

from __future__ import annotations

import pytest

from bench import ROOT
from tests.kubernetes.mistakes import MISTAKES, MORE, Mistake
from tests.kubernetes.mistakes_of_shards import SHARDS
from tests.kubernetes.rendering import rendered
from tests.kubernetes.rules import WHOLE, findings
from tests.kubernetes.validators import schema

ALL = (*MISTAKES, *MORE, *SHARDS)
RULES = {f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}": rule for rule in WHOLE}


@pytest.mark.parametrize("mistake", ALL, ids=lambda mistake: mistake.plant.__name__)
def test_a_planted_mistake_is_caught(mistake: Mistake) -> None:
    documents = rendered(mistake.where)
    mistake.plant(documents)
    if mistake.rule:
        assert findings(documents, (RULES[mistake.rule],)) != []
    else:
        assert schema(documents) != []


def test_there_are_as_many_as_were_promised() -> None:
    assert len(MISTAKES) == 24
    assert len({mistake.name for mistake in ALL}) == len(ALL)


def test_every_rule_of_ours_catches_one() -> None:
    assert set(RULES) == {mistake.rule for mistake in ALL} - {""}


def test_the_handbook_lists_them() -> None:
    page = (ROOT / "docs" / "operation" / "kubernetes.md").read_text()
    assert [name for name in (mistake.name for mistake in ALL) if f"| {name} |" not in page] == []
