"""What a pod may do on its node: nothing that the restricted profile forbids, within memory that is its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.kubernetes.manifests import at, find, named, of_kind
from tests.kubernetes.manifests import containers as all_containers
from tests.kubernetes.manifests import pods as all_pods
from tests.kubernetes.rendering import Document

FORBIDDEN: Final = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")
MEASURED: Final = ("api", "projector", "loadgen", "loadgen-worker")
"""Throttling would be measured as latency."""


def pods(documents: list[Document]) -> Iterator[str]:
    """Restricted, as the namespace enforces it."""
    for namespace in of_kind(documents, "Namespace"):
        if at(namespace, "metadata.labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
            yield f"{named(namespace)} enforces nothing"
    for pod in all_pods(documents):
        safe = pod.spec.get("securityContext", {})
        yield from (f"{pod.name} has {name}" for name in FORBIDDEN if pod.spec.get(name))
        if safe.get("runAsNonRoot") is not True or safe.get("runAsUser", 0) == 0:
            yield f"{pod.name} runs as root"
        if at(safe, "seccompProfile.type") != "RuntimeDefault":
            yield f"{pod.name} may make any system call"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod.name} is given a login to the cluster"


def containers(documents: list[Document]) -> Iterator[str]:
    """Restricted, too; requests = limits for memory; no limit of CPU on what is measured."""
    for pod, container in all_containers(documents):
        safe, resources = container.get("securityContext", {}), container.get("resources", {})
        if safe.get("allowPrivilegeEscalation") is not False or at(safe, "capabilities.drop") != ["ALL"]:
            yield f"{pod.name}: {container['name']} may become more than it is"
        if safe.get("privileged") or "add" in safe.get("capabilities", {}):
            yield f"{pod.name}: {container['name']} is given powers"
        if safe.get("readOnlyRootFilesystem") is not True:
            yield f"{pod.name}: {container['name']} may change its own files"
        memory = at(resources, "requests.memory")
        if memory is None or memory != at(resources, "limits.memory"):
            yield f"{pod.name}: {container['name']} has no memory of its own: requests and limits are not one"
        if at(resources, "requests.cpu") is None:
            yield f"{pod.name}: {container['name']} asks for no CPU"
        if container["name"] in MEASURED and at(resources, "limits.cpu") is not None:
            yield f"{pod.name}: {container['name']} is throttled, and it is measured"


def images(documents: list[Document]) -> Iterator[str]:
    """Each image has a version, and ours have the project's."""
    told = [(pod.name, str(container["image"])) for pod, container in all_containers(documents)]
    told += [(named(one), str(at(one, "spec.imageName"))) for one in of_kind(documents, "Cluster")]
    for who, image in told:
        version = image.rpartition("/")[2].partition(":")[2]
        if not version or version == "latest":
            yield f"{who}: image {image} has no version"
    if find(documents, "Deployment", "api") is not None:
        ours = {image.rpartition(":")[2] for _, image in told if image.startswith("tidemark-")}
        if len(ours) > 1:
            yield f"images of several versions: {sorted(ours)}"
