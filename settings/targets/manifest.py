"""Manifest of a target: one that was read and found sound, under the name by which TARGET chooses it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Self

from msgspec import structs

from settings.catalogue.capabilities import Capability
from settings.targets.document import MOST_PROJECTORS, Document, Mode, Projector, Proof, Step

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Manifest(Document, frozen=True, kw_only=True):
    """A target, variant included. `folder` is where its manifest and its programs are; `text` is the file."""

    name: str
    folder: Path
    text: str

    @classmethod
    def of(cls, document: Document, *, name: str, folder: Path, text: str) -> Self:
        """The target of a document."""
        told = {field: getattr(document, field) for field in Document.__struct_fields__}
        return cls(name=name, folder=folder, text=text, **told)

    @classmethod
    def elsewhere(cls, name: str, proof: Proof) -> Self:
        """Whatever runs at BASE_URL, under the name that somebody gave it. It is as it is, and nothing is started."""
        return cls(
            name=name,
            folder=Path(),
            text="",
            title=name,
            version="",
            language="",
            store="none",
            class_="documented",
            homepage="",
            durable="",
            modes=("serial", "parallel"),
            proof=proof,
            api=Step(command=("",)),
            projector=Projector(command=("",), most=MOST_PROJECTORS),
        )

    @property
    def key(self) -> str:
        """Its name without the variant: that of its folder, and of its install."""
        return self.name.partition(":")[0]

    @property
    def told(self) -> bool:
        """Whether a file tells it; of what runs elsewhere nothing is known but its name."""
        return bool(self.text)

    @property
    def ours(self) -> bool:
        """True where our own schema is in its store, so that our settings, roles and oracle apply to it."""
        return self.proof == "store"

    @property
    def most_projectors(self) -> int:
        """How many may run side by side; 0 where it has no such process."""
        return self.projector.most if self.projector else 0

    def offers(self, capability: Capability) -> bool:
        """Whether it declares the capability."""
        return capability in self.capabilities

    def offering(self, capabilities: Collection[Capability]) -> Self:
        """The same with these capabilities, and the best proof that they allow; for what no file tells."""
        proof: Proof = self.proof if self.ours else "log" if "events" in capabilities else "read-back"
        return structs.replace(self, capabilities=tuple(capabilities), proof=proof)

    def runs_in(self, mode: Mode) -> bool:
        """Whether it can be run in the mode."""
        return mode in self.modes

    def steps(self) -> Iterator[tuple[str, Step]]:
        """Its processes by the names of their tables."""
        found = {"migrate": self.migrate, "api": self.api, "projector": self.projector}
        yield from ((name, step) for name, step in found.items() if step is not None)

    def placeholders(self) -> Iterator[tuple[str, str]]:
        """Every placeholder that it uses, with its place."""
        for table, step in self.steps():
            for number, word in enumerate(step.command):
                yield from ((found, f"$.{table}.command[{number}]") for found in PLACEHOLDER.findall(word))
            for name, value in step.environment.items():
                yield from ((found, f"$.{table}.environment.{name}") for found in PLACEHOLDER.findall(value))
        for name, value in self.environment.items():
            yield from ((found, f"$.environment.{name}") for found in PLACEHOLDER.findall(value))

    def uses(self, placeholder: str) -> bool:
        """Whether any of its processes is told it."""
        return any(found == placeholder for found, _ in self.placeholders())
