"""Rules over a rendering: each yields a sentence for what does not hold. `ALL` is what every rendering is held to."""

from collections.abc import Callable, Iterator

from tests.kubernetes.rendering import Document
from tests.kubernetes.rules import application, bounds, hardened, policies, references, scaling, shards

Rule = Callable[[list[Document]], Iterator[str]]

ALL: tuple[Rule, ...] = (
    references.selectors,
    references.service_ports,
    references.config_maps,
    references.secrets,
    references.volumes,
    references.expansions,
    bounds.jobs,
    bounds.replicas,
    bounds.graces,
    bounds.workers,
    scaling.targets,
    scaling.bounds,
    scaling.fields,
    scaling.stores,
    shards.stores,
    shards.alike,
    shards.projected,
    shards.triggers,
    shards.oracle,
    hardened.pods,
    hardened.containers,
    hardened.resources,
    hardened.images,
    application.handlers,
    application.routes,
    application.modules,
    application.settings,
    application.service_links,
)
WHOLE: tuple[Rule, ...] = (*ALL, policies.selectors, policies.ports, policies.servers)
"""And what only holds where all of it is there."""


def findings(documents: list[Document], rules: tuple[Rule, ...] = ALL) -> list[str]:
    """All of them, with the name of the rule."""
    return [
        f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}: {found}" for rule in rules for found in rule(documents)
    ]
