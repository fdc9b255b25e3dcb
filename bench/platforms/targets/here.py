"""Which targets can run on this machine: each with its variants, and the reason and remedy of one that can not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bench.platforms.targets.folder import lacking
from settings.targets import reader
from settings.targets.manifest import Manifest


@dataclass(frozen=True)
class Here:
    """A target; `problem` and `remedy` are empty where it can run."""

    target: Manifest
    problem: str = ""
    remedy: str = ""


def every(*, variants: bool = True) -> Iterator[Here]:
    """The targets that come with us, our own first. Raises SettingError for a manifest that can not be used."""
    for name in reader.names():
        target = reader.load(name)
        found = Here(target, *lacking(target))
        yield found
        for variant in target.variants if variants else ():
            yield replace(found, target=reader.load(f"{name}:{variant}"))
