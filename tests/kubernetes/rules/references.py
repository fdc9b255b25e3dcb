"""What one document says of another: selectors, ports, config maps, secrets, volumes, variables in variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bench.platforms.kubernetes import secrets as made
from tests.kubernetes.manifests import at, containers, find, matches, named, of_kind, pods, ports
from tests.kubernetes.rendering import Document

SECRETS: Final = {one["metadata"]["name"]: set(one["stringData"]) for one in (made.owner(), made.passwords())}
"""They are no part of the manifests: `task kubernetes:secrets` makes them, with these keys."""


def selectors(documents: list[Document]) -> Iterator[str]:
    """A workload selects its own pods; services, budgets, monitors and spreads select somebody's."""
    for one in of_kind(documents, "Deployment"):
        if not matches(at(one, "spec.selector"), at(one, "spec.template.metadata.labels")):
            yield f"{named(one)} does not select its own pods"
    labels = [pod.labels for pod in pods(documents)]
    for one in of_kind(documents, "Service", "PodDisruptionBudget", "PodMonitor"):
        selector = at(one, "spec.selector", {})
        if not selector or not any(matches(selector, each) for each in labels):
            yield f"{named(one)} selects no pod"
    for pod in pods(documents):
        for spread in pod.spec.get("topologySpreadConstraints", []):
            if not matches(spread["labelSelector"], pod.labels):
                yield f"{pod.name} spreads other pods than its own"


def service_ports(documents: list[Document]) -> Iterator[str]:
    """A port that a service, a monitor or an HTTP handler names is opened by the pods it leads to."""
    for one in of_kind(documents, "Service", "PodMonitor"):
        wanted = [port["targetPort"] for port in at(one, "spec.ports", [])]
        wanted += [port["port"] for port in at(one, "spec.podMetricsEndpoints", [])]
        for pod in pods(documents):
            if matches(at(one, "spec.selector"), pod.labels):
                known = {*ports(pod), *ports(pod).values()}
                yield from (f"{named(one)}: {pod.name} opens no port {each}" for each in wanted if each not in known)
    for pod, container in containers(documents):
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            port = at(container, f"{name}.httpGet.port")
            if port is not None and port not in {*ports(pod), *ports(pod).values()}:
                yield f"{pod.name}: {name} asks port {port}, which is not opened"


def config_maps(documents: list[Document]) -> Iterator[str]:
    """Each one that is named is there, with the key."""
    for pod, container in containers(documents):
        for name, key in _named(container, "configMapRef", "configMapKeyRef"):
            found = find(documents, "ConfigMap", name)
            if found is None:
                yield f"{pod.name}: there is no ConfigMap {name}"
            elif key is not None and key not in found["data"]:
                yield f"{pod.name}: ConfigMap {name} has no key {key}"


def secrets(documents: list[Document]) -> Iterator[str]:
    """Each one that is named is made beforehand, with the key; none has its values here."""
    asked = [
        (pod.name, *each) for pod, one in containers(documents) for each in _named(one, "secretRef", "secretKeyRef")
    ]
    for one in of_kind(documents, "TriggerAuthentication"):
        asked += [(named(one), each["name"], each["key"]) for each in at(one, "spec.secretTargetRef", [])]
    for one in of_kind(documents, "Cluster"):
        asked += [(named(one), at(one, "spec.bootstrap.initdb.secret.name"), key) for key in ("username", "password")]
    for who, name, key in asked:
        if name not in SECRETS:
            yield f"{who}: nobody makes a Secret {name}"
        elif key is not None and key not in SECRETS[name]:
            yield f"{who}: Secret {name} has no key {key}"
    yield from (f"{named(one)}: a secret in the manifests" for one in of_kind(documents, "Secret"))


def volumes(documents: list[Document]) -> Iterator[str]:
    """What is mounted is a volume of the pod, and a claim that one names is there."""
    for pod in pods(documents):
        known = {volume["name"] for volume in pod.spec.get("volumes", [])}
        mounted = {each["name"] for container in pod.containers for each in container.get("volumeMounts", [])}
        yield from (f"{pod.name}: there is no volume {name}" for name in sorted(mounted - known))
        yield from (f"{pod.name}: nobody mounts volume {name}" for name in sorted(known - mounted))
        for volume in pod.spec.get("volumes", []):
            claim = at(volume, "persistentVolumeClaim.claimName")
            if claim is not None and find(documents, "PersistentVolumeClaim", claim) is None:
                yield f"{pod.name}: there is no claim {claim}"


def expansions(documents: list[Document]) -> Iterator[str]:
    """A variable in a variable stands before it: else its name stays in the value."""
    for pod, container in containers(documents):
        before: set[str] = set()
        for entry in container.get("env", []):
            for name in re.findall(r"\$\((\w+)\)", str(entry.get("value", ""))):
                if name not in before:
                    yield f"{pod.name}: {entry['name']} has $({name}), which is not told before it"
            before.add(entry["name"])


def _named(container: dict[str, Any], whole: str, by_key: str) -> Iterator[tuple[str, str | None]]:
    yield from ((source[whole]["name"], None) for source in container.get("envFrom", []) if whole in source)
    for entry in container.get("env", []):
        if (found := at(entry, f"valueFrom.{by_key}")) is not None:
            yield found["name"], found["key"]
