"""`target` of `result.json`: the system that was measured, and what it offers beyond the required calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NotRequired, TypedDict

Class = Literal["documented", "as shipped", "tuned"]
"""Run as its documentation says, as its own sample does, or with settings that somebody chose for the measurement."""

Proof = Literal["store", "log", "read-back"]
"""What proves a result: our tables folded again, the log over HTTP folded again, or every write read again."""

UNSEEN: Final[Mapping[Proof, str]] = {
    "store": (
        "what each single read showed while the load ran (staleness is sampled), and whether a disk keeps what it "
        "confirmed"
    ),
    "log": (
        "an effect in a wrong row, or in a wrong order, that was put right again; of a deleted todo anything but that "
        "it is not shown, such as events that were passed over before its deletion; whether a row that is missing lost "
        "its effects or was removed (it counts as lost); when an event took effect, and how often but by `applied`, "
        "which is the target's own word; and what the log itself does not tell: an event that was changed there, or a "
        "whole stream, of which no write was acknowledged"
    ),
    "read-back": (
        "the events: a doubled, reordered or superfluous effect that no acknowledged write contradicts stays unseen"
    ),
}
"""What a level can not see."""

NOT_CHECKED: Final = "told, not checked"
"""How durable a target is that keeps todos where the bench can not look."""

Target = TypedDict(
    "Target",
    {"name": str, "version": str, "class": Class, "capabilities": list[str], "reference": NotRequired[bool]},
)
"""`name` is that which TARGET chooses it by. `version` is empty where it is not told.

Only what is of one `class` is ranked; `capabilities` are what it offers. A `reference` keeps nothing, and is
not ranked.
"""


class Description(TypedDict):
    """`target.json`: what was measured, and what to know of it before its numbers, as its manifest tells it.

    `store` is where it keeps todos, `durable` why it is as durable as ours, `modes` those that it can be run in.
    `proof` is its best level. `durable_checked`: the bench looked at its database; else `durable` is told, not checked.
    """

    title: str
    language: str
    store: str
    proof: Proof
    homepage: str
    durable: str
    durable_checked: NotRequired[bool]
    modes: list[str]
    know: list[str]
