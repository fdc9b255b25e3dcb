"""Pods of one Deployment as the API server tells them, and the number of its replicas."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.ends import signals
from bench.ends.errors import RunFailed
from bench.platforms.kubernetes.kubectl import Kubectl

WITHIN_S: Final = 120.0
"""For a pod to be scheduled, pulled, started and ready, or to be gone: its grace of 30 s is in it."""
POLL_S: Final = 0.5
PART_OF: Final = "app.kubernetes.io/part-of=tidemark,app.kubernetes.io/component="


def pods(kubectl: Kubectl, component: str) -> list[dict[str, Any]]:
    """All pods of a component, also those that end, by name."""
    found = kubectl.documents("get", "pods", "--selector", f"{PART_OF}{component}")
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def ready(pod: Mapping[str, Any]) -> bool:
    """True where it is ready and not about to end."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not ending(pod) and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def ending(pod: Mapping[str, Any]) -> bool:
    """True where it was told to end."""
    return "deletionTimestamp" in pod["metadata"]


def name_of(pod: Mapping[str, Any]) -> str:
    """The name by which kubectl finds it."""
    return str(pod["metadata"]["name"])


def replicas(kubectl: Kubectl, deployment: str) -> int:
    """How many pods a Deployment is to have."""
    (found,) = kubectl.documents("get", "deployment", deployment)
    return int(found["spec"]["replicas"])


def scale(kubectl: Kubectl, deployment: str, count: int) -> None:
    """Tell a Deployment how many pods it is to have."""
    kubectl.run("scale", f"deployment/{deployment}", f"--replicas={count}")


def until(found: Callable[[], bool], what: str, logs: Callable[[], str] = str) -> None:
    """Wait for a condition. Raises RunFailed when it does not come in time, with the last of the logs."""
    deadline = time.monotonic() + WITHIN_S
    while not found():
        signals.check()
        if time.monotonic() > deadline:
            raise RunFailed(f"{what}: not within {WITHIN_S:g} s", logs())
        time.sleep(POLL_S)
