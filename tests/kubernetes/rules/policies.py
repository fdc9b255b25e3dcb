"""Network policies: whom they name is there, and what they let pass is a port that somebody opens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.kubernetes.manifests import at, containers, find, matches, named, of_kind, pods
from tests.kubernetes.manifests import ports as ports_of
from tests.kubernetes.rendering import Document
from tests.kubernetes.rules import shards

OTHERS: Final = {
    "kubernetes.io/metadata.name": {"kube-system", "monitoring", "keda", "cnpg-system"},
}
"""Namespaces of other projects, by the names that their own manuals give them."""


def _labels(documents: list[Document]) -> list[Mapping[str, str]]:
    """Of all pods, those of CloudNativePG's operator among them."""
    made = [{"cnpg.io/cluster": one["metadata"]["name"]} for one in of_kind(documents, "Cluster")]
    made += [{"cnpg.io/poolerName": one["metadata"]["name"]} for one in of_kind(documents, "Pooler")]
    return [*(pod.labels for pod in pods(documents)), *made]


def selectors(documents: list[Document]) -> Iterator[str]:
    """Everybody is closed by default, and each selector of a policy takes a pod, or a namespace of others."""
    closed = find(documents, "NetworkPolicy", "default-deny")
    if closed is None or closed["spec"] != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "nothing is closed by default"
    labels = _labels(documents)
    for one in of_kind(documents, "NetworkPolicy"):
        chosen = [at(one, "spec.podSelector"), *(peer["podSelector"] for peer in _peers(one) if "podSelector" in peer)]
        yield from (
            f"{named(one)}: {selector} takes no pod"
            for selector in chosen
            if not any(matches(selector, each) for each in labels)
        )
        for peer in _peers(one):
            for key, value in at(peer, "namespaceSelector.matchLabels", {}).items():
                if value not in OTHERS.get(key, set()):
                    yield f"{named(one)}: nobody knows a namespace {key}={value}"


def ports(documents: list[Document]) -> Iterator[str]:
    """What may come in is a port that the pods open, and what may go out to some of ours is one of these, too."""
    for one in of_kind(documents, "NetworkPolicy"):
        for rule in at(one, "spec.ingress", []):
            yield from (f"{named(one)}: {each}" for each in _closed(documents, [at(one, "spec.podSelector")], rule))
        for rule in at(one, "spec.egress", []):
            to = [peer["podSelector"] for peer in rule.get("to", []) if "podSelector" in peer]
            yield from (f"{named(one)}: {each}" for each in _closed(documents, to, rule))


def servers(documents: list[Document]) -> Iterator[str]:
    """Each server and pooler lets in who is told its address, and who counts its backlog."""
    asked = [
        (dict(pod.labels), _labels_of(documents, host))
        for pod, container in containers(documents)
        for host in shards.hosts(documents, container)
    ]
    for one in of_kind(documents, "Pooler"):
        own, cluster = {"cnpg.io/poolerName": one["metadata"]["name"]}, at(one, "spec.cluster.name")
        asked.append((own, {"cnpg.io/cluster": cluster}))
    for one in of_kind(documents, "ScaledObject"):
        for trigger in at(one, "spec.triggers", []):
            host = str(at(trigger, "metadata.host", "")).partition(".")[0]
            asked.append(({"kubernetes.io/metadata.name": "keda"}, _labels_of(documents, host)))
    for who, whom in asked:
        if whom and not any(_lets_in(one, who, whom) for one in of_kind(documents, "NetworkPolicy")):
            yield f"{whom} lets nobody in of {who}"


def _labels_of(documents: list[Document], host: str) -> dict[str, str]:
    """Of the pods behind a Service of CloudNativePG; nothing of a server elsewhere."""
    if find(documents, "Pooler", host) is not None:
        return {"cnpg.io/poolerName": host}
    cluster = host.removesuffix("-rw")
    return {"cnpg.io/cluster": cluster} if find(documents, "Cluster", cluster) is not None else {}


def _lets_in(policy: Document, who: Mapping[str, str], whom: Mapping[str, str]) -> bool:
    return matches(at(policy, "spec.podSelector"), whom) and any(
        any(port["port"] == 5432 for port in rule.get("ports", []))
        and any(matches(selector, who) for peer in rule.get("from", []) for selector in peer.values())
        for rule in at(policy, "spec.ingress", [])
    )


def _closed(documents: list[Document], to: list[Mapping[str, Any]], rule: Mapping[str, Any]) -> Iterator[str]:
    for selector in to:
        # Postgres and its operator's status are opened by pods that are not in the manifests.
        opened: set[str | int] = {5432, 8000} if "cnpg.io" in str(selector) else set()
        for pod in pods(documents):
            if matches(selector, pod.labels):
                opened |= {*ports_of(pod), *ports_of(pod).values()}
        yield from (
            f"port {port['port']} is opened by nobody of {selector}"
            for port in rule.get("ports", [])
            if port["port"] not in opened
        )


def _peers(policy: Document) -> list[dict[str, Any]]:
    rules = [*at(policy, "spec.ingress", []), *at(policy, "spec.egress", [])]
    return [peer for rule in rules for peer in [*rule.get("from", []), *rule.get("to", [])]]
