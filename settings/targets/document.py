"""Schema of a target's manifest, `target.toml`: what it is, what it offers, and how its processes are started.

A key that is not here is refused. Commands and variables may have placeholders, as `{port}`: those of PLACEHOLDERS.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from settings.catalogue.capabilities import Capability

Store = Literal["postgres", "sqlite", "none"]
"""`postgres`: it is given a database of its own on the server that our own system gets, too."""
Class = Literal["documented", "as shipped", "tuned"]
Mode = Literal["serial", "parallel"]
Proof = Literal["store", "log", "read-back"]

PLACEHOLDERS: Final = frozenset(
    {
        *("python", "node", "folder", "host", "port", "base_url", "database", "data"),
        *("number", "name", "mode", "handler_latency_ms"),
    }
)
MOST_PROJECTORS: Final = 64

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Sentence = Annotated[str, Meta(min_length=1, max_length=600)]
Command = Annotated[tuple[Annotated[str, Meta(max_length=500)], ...], Meta(min_length=1, max_length=50)]
Variables = dict[Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")], Annotated[str, Meta(max_length=2000)]]


class Install(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How its packages come: by a lock file beside the manifest, `requirements.lock` or `package-lock.json`."""

    kind: Literal["python", "node"]


class Step(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A process of it. `environment` is its own, above that of all its processes."""

    command: Command
    environment: Variables = {}


class Projector(Step, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A projector. `most`: how many may run side by side by its documentation."""

    most: Annotated[int, Meta(ge=1, le=MOST_PROJECTORS)] = 1


class Document(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole file. Without `install` it runs in the project's own environment, from the project's root.

    Without `projector` it has no process that projects. `variants` are named `name:variant`; each overrides keys here.
    `reference`: it keeps nothing and is no stack to choose, so its row stands apart and is not ranked.
    """

    title: Line
    version: Annotated[str, Meta(min_length=1, max_length=60)]
    language: Annotated[str, Meta(min_length=1, max_length=60)]
    store: Store
    class_: Class = field(name="class")
    homepage: Line
    durable: Sentence
    reference: bool = False
    know: Annotated[tuple[Sentence, ...], Meta(max_length=20)] = ()
    modes: Annotated[tuple[Mode, ...], Meta(min_length=1, max_length=2)]
    capabilities: Annotated[tuple[Capability, ...], Meta(max_length=20)] = ()
    proof: Proof
    install: Install | None = None
    migrate: Step | None = None
    api: Step
    projector: Projector | None = None
    environment: Variables = {}
    variants: Annotated[dict[str, dict[str, Any]], Meta(max_length=20)] = {}
