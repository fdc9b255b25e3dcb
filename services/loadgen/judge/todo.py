"""A todo as the load generator knows it: acknowledged versions and text, and writes whose answer was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Todo:
    """One todo as acknowledged. `text` and `deleted` belong to `version`, the highest acknowledged one. A
    target may count from 0: that nothing is acknowledged is told by `versions`, which is empty then.

    `maybe_texts` and `maybe_deleted` are writes whose answer was lost: they happened or they did not.
    `delete_refused`: a delete was answered with a refusal, and a refused write changes nothing.
    """

    id: str
    version: int = 0
    text: str = ""
    deleted: bool = False
    versions: list[int] = field(default_factory=list)
    maybe_texts: Sequence[str] = ()
    maybe_deleted: bool = False
    delete_refused: bool = False

    @property
    def settled(self) -> bool:
        """True when it is deleted and nothing is in doubt: each version from 1 to the last was acknowledged once."""
        doubted = self.maybe_deleted or len(self.maybe_texts) > 0
        return self.deleted and not doubted and sorted(self.versions) == list(range(1, self.version + 1))

    def acknowledge(self, version: int, text: str, *, deleted: bool = False) -> None:
        """Take in an acknowledged write; answers may come in any order, the highest version wins."""
        first = not self.versions
        self.versions.append(version)
        if first or version > self.version:
            self.version, self.text, self.deleted = version, text, deleted

    def doubt(self, text: str, *, deleted: bool = False) -> None:
        """Take in a write whose answer was lost."""
        if deleted:
            self.maybe_deleted = True
        else:
            self.maybe_texts = [*self.maybe_texts, text]


def todo_to_json(todo: Todo) -> dict[str, Any]:
    """A todo as JSON values, for another process."""
    return asdict(todo)


def todo_from_json(document: dict[str, Any]) -> Todo:
    """The reverse of `todo_to_json`."""
    return Todo(**document)
