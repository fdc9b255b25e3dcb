"""Documents of a rendering as rules look at them: by kind and name, their pods, containers, labels and variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.kubernetes.rendering import Document

WORKLOADS = ("Deployment", "Job")


def at(document: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """The value below a path of names with dots; the default where one of them is not there."""
    found: Any = document
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return default
        found = found[name]
    return found


def named(document: Document) -> str:
    """Kind and name, as a finding calls it."""
    return f"{document['kind']} {document['metadata']['name']}"


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def find(documents: list[Document], kind: str, name: str) -> Document | None:
    return next((one for one in of_kind(documents, kind) if one["metadata"]["name"] == name), None)


@dataclass(frozen=True)
class Pod:
    """The pod of a workload."""

    owner: Document

    @property
    def name(self) -> str:
        return named(self.owner)

    @property
    def labels(self) -> Mapping[str, str]:
        return dict(at(self.owner, "spec.template.metadata.labels", {}))

    @property
    def spec(self) -> dict[str, Any]:
        return dict(at(self.owner, "spec.template.spec", {}))

    @property
    def containers(self) -> list[dict[str, Any]]:
        return list(self.spec.get("containers", []))


def pods(documents: list[Document]) -> list[Pod]:
    """Of every workload."""
    return [Pod(document) for document in of_kind(documents, *WORKLOADS)]


def containers(documents: list[Document]) -> Iterator[tuple[Pod, dict[str, Any]]]:
    for pod in pods(documents):
        for container in pod.containers:
            yield pod, container


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector, or the plain labels of a Service, takes a pod. An empty one takes all."""
    selector = selector or {}
    plain = selector.get("matchLabels", {} if "matchExpressions" in selector else selector)
    wanted = all(labels.get(name) == value for name, value in plain.items())
    return wanted and all(_holds(one, labels) for one in selector.get("matchExpressions", []))


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert expression["operator"] == "In", expression
    return labels.get(expression["key"]) in expression["values"]


def ports(pod: Pod) -> dict[str, int]:
    """The ports that a pod opens, by name."""
    return {str(port["name"]): int(port["containerPort"]) for one in pod.containers for port in one.get("ports", [])}


def variables(documents: list[Document], container: Mapping[str, Any]) -> dict[str, str]:
    """A container's environment as the kubelet makes it; a secret's value is `secret`, a field's its path.

    A reference to a variable that comes later stays as it is.
    """
    made: dict[str, str] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            config = find(documents, "ConfigMap", source["configMapRef"]["name"])
            made |= {} if config is None else {name: str(value) for name, value in config["data"].items()}
    for entry in container.get("env", []):
        value = str(entry.get("value", "")) or _told(documents, entry.get("valueFrom", {}))
        made[entry["name"]] = re.sub(r"\$\((\w+)\)", lambda found: made.get(found[1], found[0]), value)
    return made


def _told(documents: list[Document], source: Mapping[str, Any]) -> str:
    if "configMapKeyRef" in source:
        config = find(documents, "ConfigMap", source["configMapKeyRef"]["name"])
        return "" if config is None else str(config["data"].get(source["configMapKeyRef"]["key"], ""))
    return "secret" if "secretKeyRef" in source else str(at(source, "fieldRef.fieldPath", ""))
