"""Schema of a scenario's file: its phases, its mixes of operations, and the bounds of every number.

A key that is not here is refused. `Weight` is relative to the other weights beside it; `Share` is a part of the whole.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Operation = Literal["create", "update", "delete"]
ReadKind = Literal["one", "list", "stats"]
Weight = Annotated[float, Meta(gt=0, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=3600)]
Value = bool | int | float | Annotated[str, Meta(max_length=200)]

MOST_PHASES = 50
MOST_MIXES = 20


class Mix(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the users of a phase do. A reader draws from `reads`. A writer draws from `writes`, or walks a `sequence`.

    A sequence is carried out on one todo of the user's own, over and over.
    """

    reads: dict[ReadKind, Weight] = {}
    writes: dict[Operation, Weight] = {}
    sequence: Annotated[tuple[Operation, ...], Meta(max_length=20)] = ()


class Phase(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="name"):
    """A stretch of the load. `users` is a share of VUS; `writers` is a share of the users, WRITE_RATIO if not said."""

    mix: str
    users: Annotated[float, Meta(gt=0, le=1)] = 1.0
    writers: Share | None = None


class Warmup(Phase, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="warmup"):
    """A phase that is not measured. It lasts `seconds`; the first may leave that to WARMUP, from a least value on."""

    seconds: Annotated[float, Meta(gt=0, le=3600)] | None = None
    at_least_seconds: Seconds = 0.0


class Load(Phase, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="load"):
    """A measured phase. All of them last DURATION together, each its part by `weight`."""

    weight: Weight = 1.0


class Document(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole file. `settings` are defaults: a variable of the environment stands above them."""

    description: Annotated[str, Meta(min_length=1, max_length=200)]
    settings: dict[str, Value]
    phases: Annotated[tuple[Warmup | Load, ...], Meta(min_length=1, max_length=MOST_PHASES)]
    mixes: Annotated[dict[str, Mix], Meta(min_length=1, max_length=MOST_MIXES)]
    visibility_probe: bool = True
