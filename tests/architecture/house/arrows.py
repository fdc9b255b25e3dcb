"""Who imports whom, as `grimp` reads it, and where arrows go round in a circle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter

import grimp

from tests.architecture.house.tree import PACKAGES

Arrows = Mapping[str, set[str]]
"""For each module, or part of the house, what it imports."""


@cache
def graph() -> grimp.ImportGraph:
    """Our packages, read anew: without grimp's cache, which would be left in the working folder."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def between_modules(read: grimp.ImportGraph) -> Arrows:
    """Each module's own imports."""
    return {module: read.find_modules_directly_imported_by(module) for module in read.modules}


def between_siblings(modules: Arrows) -> dict[str, dict[str, set[str]]]:
    """For each folder, the arrows between what stands in it, whatever lies below; `` is the root with the packages."""
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for importer, imported in ((one, other) for one, others in modules.items() for other in others):
        one, other = importer.split("."), imported.split(".")
        depth = next((n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
        if depth is not None:
            found[".".join(one[:depth])][one[depth]].add(other[depth])
    return {folder: dict(arrows) for folder, arrows in found.items()}


def circle(arrows: Arrows) -> list[str]:
    """One circle, first and last the same; empty if there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def circles(modules: Arrows) -> dict[str, list[str]]:
    """Circles of modules, and in each folder of what stands in it."""
    looked_at = {"modules": modules, **{f"in {folder or '.'}": of for folder, of in between_siblings(modules).items()}}
    return {where: found for where, arrows in looked_at.items() if (found := circle(arrows))}
