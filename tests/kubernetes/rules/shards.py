"""Where the store is several servers: all programs know the same ones in the same order, and nobody leaves one out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from bench.platforms.kubernetes.addresses import places
from services.projector.process import fleet
from services.projector.settings import Settings
from tests.kubernetes.manifests import at, containers, find, named, of_kind, variables
from tests.kubernetes.rendering import Document

PROGRAMS: Final = ("migrate", "api", "projector")


def stores(documents: list[Document]) -> Iterator[str]:
    """API, projectors and migration know the same servers in one order, none twice, whatever pooler is before one."""
    known = {
        pod.name: [server(documents, host) for host in hosts(documents, container)]
        for pod, container in containers(documents)
        if container["name"] in PROGRAMS
    }
    first = next(iter(known.values()), [])
    for who, told in known.items():
        if len(set(told)) != len(told):
            yield f"{who}: {told} has a server twice"
        if told != first:
            yield f"{who} knows {told}, others {first}"


def alike(documents: list[Document]) -> Iterator[str]:
    """Servers of shards, and poolers before them, differ by their names alone: the slowest would be measured."""
    for kind in ("Cluster", "Pooler"):
        first, *others = [*of_kind(documents, kind)] or [{}]
        yield from (
            f"{named(one)} is another kind of server than {named(first)}"
            for one in others
            if {**one["spec"], "cluster": None} != {**first["spec"], "cluster": None}
        )


def projected(documents: list[Document]) -> Iterator[str]:
    """Each shard has a projector, whichever of them pods are pinned to."""
    told = [container for _, container in _projectors(documents)]
    every = dict.fromkeys(host for container in told for host in hosts(documents, container))
    served = {host for container in told for host in _served(documents, container)}
    yield from (f"{host} has no projector" for host in every if host not in served)


def triggers(documents: list[Document]) -> Iterator[str]:
    """What scales projectors counts the backlog of each store that they serve, by one query, as the role for it."""
    for one in of_kind(documents, "ScaledObject"):
        target = at(one, "spec.scaleTargetRef.name")
        wanted = [
            server(documents, host)
            for pod, container in _projectors(documents)
            if pod.name == f"Deployment {target}"
            for host in _served(documents, container)
        ]
        told = [at(each, "metadata", {}) for each in at(one, "spec.triggers", [])]
        asked = [str(each.get("host")).partition(".")[0] for each in told]
        if sorted(asked) != sorted(wanted):
            yield f"{named(one)} counts the backlog of {asked}, and {target} serves {wanted}"
        if len({each.get("query") for each in told}) > 1:
            yield f"{named(one)} counts otherwise in one store than in another"
        if {each.get("userName") for each in told} != {"tidemark_scaler"}:
            yield f"{named(one)} asks by a login that has rights, or connections, of another program"


def oracle(documents: list[Document]) -> Iterator[str]:
    """The bench finds by the ConfigMap each store that is migrated, in its order: its oracle reads them all."""
    config, migrate = find(documents, "ConfigMap", "database"), find(documents, "Job", "migrate")
    if config is None or migrate is None:
        return
    found = [place.partition(":")[0] for place in places(config["data"])]
    wanted = hosts(documents, at(migrate, "spec.template.spec.containers")[0])
    if found != wanted:
        yield f"the oracle would read {found}, and the migration makes {wanted}"


def hosts(documents: list[Document], container: dict[str, Any]) -> list[str]:
    """The servers that a container is told, in their order."""
    told = variables(documents, container)
    urls = told.get("DATABASE_URLS") or told.get("DATABASE_URL", "")
    return [urlsplit(url).hostname or "" for url in urls.split()]


def server(documents: list[Document], host: str) -> str:
    """The Service of the server that a host is, or that the pooler of this name is before."""
    pooler = find(documents, "Pooler", host)
    return host if pooler is None else f"{at(pooler, 'spec.cluster.name')}-rw"


def _projectors(documents: list[Document]) -> list[Any]:
    return [(pod, one) for pod, one in containers(documents) if one["name"] == "projector"]


def _served(documents: list[Document], container: dict[str, Any]) -> list[str]:
    """As the projector itself reads its settings; of what it refuses, nothing."""
    try:
        told = fleet.served(Settings.from_env(variables(documents, container)))
    except ValueError:
        return []
    return [urlsplit(url).hostname or "" for url, _ in told]
