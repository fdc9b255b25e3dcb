"""What a pod may do on its node: nothing that the restricted profile forbids, within memory that is its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.kubernetes.manifests import Pod, at, find, named, of_kind
from tests.kubernetes.manifests import containers as all_containers
from tests.kubernetes.manifests import pods as all_pods
from tests.kubernetes.rendering import Document

FORBIDDEN: Final = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")
MEASURED: Final = ("api", "projector", "loadgen", "loadgen-worker", "postgres", "pgbouncer")
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
    """Restricted, too."""
    for pod, container in all_containers(documents):
        safe = container.get("securityContext", {})
        if safe.get("allowPrivilegeEscalation") is not False or at(safe, "capabilities.drop") != ["ALL"]:
            yield f"{pod.name}: {container['name']} may become more than it is"
        if safe.get("privileged") or "add" in safe.get("capabilities", {}):
            yield f"{pod.name}: {container['name']} is given powers"
        if safe.get("readOnlyRootFilesystem") is not True:
            yield f"{pod.name}: {container['name']} may change its own files"


def resources(documents: list[Document]) -> Iterator[str]:
    """Requests = limits for memory, some CPU, and no limit of CPU on what is measured; of servers and poolers, too."""
    told = [(f"{pod.name}: {one['name']}", one["name"], one.get("resources", {})) for pod, one in _every(documents)]
    told += [(named(one), "postgres", at(one, "spec.resources", {})) for one in of_kind(documents, "Cluster")]
    for who, name, asked in told:
        memory = at(asked, "requests.memory")
        if memory is None or memory != at(asked, "limits.memory"):
            yield f"{who} has no memory of its own: requests and limits are not one"
        if at(asked, "requests.cpu") is None:
            yield f"{who} asks for no CPU"
        if name in MEASURED and at(asked, "limits.cpu") is not None:
            yield f"{who} is throttled, and it is measured"


def images(documents: list[Document]) -> Iterator[str]:
    """Each image has a version, and ours have the project's."""
    told = [(pod.name, str(container.get("image"))) for pod, container in _every(documents)]
    told += [(named(one), str(at(one, "spec.imageName"))) for one in of_kind(documents, "Cluster")]
    for who, image in told:
        version = image.rpartition("/")[2].partition(":")[2]
        if not version or version == "latest":
            yield f"{who}: image {image} has no version"
    if find(documents, "Deployment", "api") is not None:
        ours = {image.rpartition(":")[2] for _, image in told if image.startswith("tidemark-")}
        if len(ours) > 1:
            yield f"images of several versions: {sorted(ours)}"


def _every(documents: list[Document]) -> Iterator[tuple[Pod, dict[str, Any]]]:
    """Containers of workloads, and of poolers, whose pods their operator makes of a template."""
    yield from all_containers(documents)
    for one in of_kind(documents, "Pooler"):
        pod = Pod(one)
        yield from ((pod, container) for container in pod.containers or [{"name": "pgbouncer"}])
