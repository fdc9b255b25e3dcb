"""Parts of a batch, beside its frame: the conditions that keep it right, and the SQL of its read models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from projection.read_model import Invariant, ReadModel, ReadModels
from projection.statement.window import AGGREGATES


@dataclass(frozen=True)
class Parts:
    """The conditions that the statement is made of, each with a name, so that a test can plant a bug in one.

    From `refusal` on they are those of the read models, joined.
    """

    fence: str
    beyond: str = "position > place.position"
    fresh: str = "fenced.first > fenced.projected"
    unseen: str = "e.version > coalesce(fenced.projected, 0)"
    guard: str = "first = projected + 1 AND last - first + 1 = events"
    refusal: str = "NULL::text"
    fold: str = ""
    newest: str = ""
    effect: str = ""
    unapplied: str = "NULL::bigint"
    invariants: tuple[Invariant, ...] = ()

    def keeping(self, models: ReadModels) -> Self:
        """The same conditions, with these read models."""
        return replace(
            self,
            refusal=_first_refusal(_given(model.refusal for model in models)),
            fold=",\n".join(_given(model.fold for model in models)),
            newest=",\n".join(_given(model.newest for model in models)),
            effect=",".join(_given(model.effect for model in models)),
            unapplied=_undoing([model for model in models if model.applied]),
            invariants=tuple(model.invariant for model in models if model.invariant),
        )

    def planted(self, **parts: Any) -> Self:
        """The same parts, but for those named."""
        return replace(self, **parts)

    @property
    def aggregates(self) -> str:
        """What is folded of some events of one stream."""
        fold = f",\n         {self.fold}" if self.fold else ""
        return AGGREGATES.format(refusal=self.refusal, fold=fold)

    @property
    def consistent(self) -> str:
        """Condition on a folded stream: no invariant is broken."""
        return " AND ".join(one.holds for one in self.invariants) or "true"

    @property
    def broken_at(self) -> str:
        """The version that breaks an invariant of a stream that is not consistent."""
        return self._of_the_broken("NULL::int", [one.broken_at for one in self.invariants])

    @property
    def broken_why(self) -> str:
        """The reason of the invariant that is broken."""
        return self._of_the_broken("NULL", [f"'{one.reason}'" for one in self.invariants])

    def _of_the_broken(self, none: str, each: list[str]) -> str:
        if len(each) < 2:
            return each[0] if each else none
        cases = (f"WHEN NOT ({one.holds}) THEN {told}" for one, told in zip(self.invariants, each, strict=True))
        return f"CASE {' '.join(cases)} END"


def _given(fragments: Iterable[str]) -> list[str]:
    return [fragment for fragment in fragments if fragment]


def _first_refusal(refusals: list[str]) -> str:
    return refusals[0] if len(refusals) == 1 else f"coalesce({', '.join([*refusals, 'NULL::text'])})"


def _undoing(models: list[ReadModel]) -> str:
    """An error in place of a number, where a read model has left a stream's row as it was."""
    if not models:
        return "NULL::bigint"
    cases = (
        f"WHEN (SELECT count(*) FROM {model.applied}) <> (SELECT count(*) FROM clean)\n"
        f"            THEN refuse('{model.unapplied}')"
        for model in models
    )
    return f"CASE {' '.join(cases)}\n       END"
