"""`conformance.json`: each rule of the contract with what was sent, what came, and whether it held, for each target."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypedDict

from msgspec import Meta

SCHEMA: Final = 1
FILE: Final = "conformance.json"

State = Literal["held", "broken", "not checked"]
"""`not checked`: something that the check needs did not work, which `came` names; it counts as not held."""


class Found(TypedDict):
    """One rule. `part` is "required" or a capability; `counts` where the verdict rests on it."""

    rule: str
    part: str
    says: str
    counts: bool
    state: State
    sent: str
    came: str
    expected: str
    remedy: str
    seconds: Annotated[float, Meta(ge=0)]


class Checked(TypedDict):
    """One target. `capabilities` are declared, null where nobody declared any; `offered` are those that were proven.

    `held`: every rule that counts does. `short`: the form before a measurement, which leaves rules out.
    """

    target: str
    base_url: str
    capabilities: list[str] | None
    offered: list[str]
    short: bool
    held: bool
    why: str
    hints: list[str]
    took_s: Annotated[float, Meta(ge=0)]
    rules: list[Found]


class Unchecked(TypedDict):
    """A target that was not checked, and why."""

    target: str
    why: str


class Conformance(TypedDict):
    """`conformance.json`. `held`: every target was checked, and every rule that counts holds.

    `failed` did not start; `left_out` are not installed here, which is no fault.
    """

    schema: int
    conformance_id: str
    held: bool
    why: str
    targets: list[Checked]
    failed: list[Unchecked]
    left_out: list[Unchecked]
