"""Numbers that have to fit: of replicas, of Jobs, of workers, and the time in which a pod ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from settings import patience
from tests.kubernetes.manifests import Pod, at, find, matches, named, of_kind, pods, variables
from tests.kubernetes.rendering import Document

DAY_S: Final = 86_400
BATCH_S: Final = 10
"""A statement of a projector is ended by its own limit."""


def jobs(documents: list[Document]) -> Iterator[str]:
    """A Job ends, is removed, and a run is not tried until it holds."""
    for job in of_kind(documents, "Job"):
        spec = job["spec"]
        if not 0 < spec.get("activeDeadlineSeconds", 0) <= DAY_S:
            yield f"{named(job)} may last for ever"
        if not 0 < spec.get("ttlSecondsAfterFinished", 0) <= DAY_S:
            yield f"{named(job)} stays for ever"
        if job["metadata"]["name"] == "loadgen" and (
            spec.get("backoffLimit") != 0 or at(spec, "template.spec.restartPolicy") != "Never"
        ):
            yield f"{named(job)} is tried again: its exit code is the verdict"
        if at(spec, "template.spec.restartPolicy") not in ("Never", "OnFailure"):
            yield f"{named(job)} has no restartPolicy that a Job may have"
        if spec.get("completionMode") == "Indexed" and spec.get("completions") != spec.get("parallelism"):
            yield f"{named(job)} does not run all of its indexes at once"


def replicas(documents: list[Document]) -> Iterator[str]:
    """A budget for each lets one go, an update lets none go before another is ready, and pods spread over nodes."""
    for budget in of_kind(documents, "PodDisruptionBudget"):
        if at(budget, "spec.maxUnavailable") != 1 or "minAvailable" in budget["spec"]:
            yield f"{named(budget)} has to let one pod go, and no more"
    for one in of_kind(documents, "Deployment"):
        rolling = at(one, "spec.strategy.rollingUpdate", {})
        if rolling.get("maxUnavailable") != 0 or not rolling.get("maxSurge"):
            yield f"{named(one)} stops a pod before another one is ready"
        if one["spec"].get("replicas", 1) < 1:
            yield f"{named(one)} has no pod"
        budgets = of_kind(documents, "PodDisruptionBudget")
        if not any(matches(at(each, "spec.selector"), Pod(one).labels) for each in budgets):
            yield f"{named(one)} has no PodDisruptionBudget, so a node that is emptied takes all of its pods"
        if "kubernetes.io/hostname" not in {
            each["topologyKey"] for each in Pod(one).spec.get("topologySpreadConstraints", [])
        }:
            yield f"{named(one)} may have all of its pods on one node"


def graces(documents: list[Document]) -> Iterator[str]:
    """A pod has longer to end than its preStop and what it has under way together."""
    for pod in pods(of_kind(documents, "Deployment")):
        for container in pod.containers:
            paused = at(container, "lifecycle.preStop.sleep.seconds", 0)
            needed = paused + (patience.SERVICE_S if container["name"] == "api" else BATCH_S)
            if not paused:
                yield f"{pod.name}: no preStop, so requests come to a pod that ends"
            if pod.spec.get("terminationGracePeriodSeconds", 30) <= needed:
                yield f"{pod.name}: it is killed before what is under way has ended ({needed:g} s)"


def workers(documents: list[Document]) -> Iterator[str]:
    """As many workers come as the master waits for, where it listens, by a name that is known before it is ready."""
    master, worker = find(documents, "Job", "loadgen"), find(documents, "Job", "loadgen-worker")
    if master is None or worker is None:
        return
    told = variables(documents, at(master, "spec.template.spec.containers")[0])
    if str(worker["spec"]["completions"]) != told.get("LOADGEN_WORKERS"):
        yield f"{named(worker)}: {worker['spec']['completions']} come, {told.get('LOADGEN_WORKERS')} are waited for"
    host, _, port = variables(documents, at(worker, "spec.template.spec.containers")[0])["LOADGEN_MASTER"].partition(
        ":"
    )
    service = find(documents, "Service", host)
    if service is None or port not in {str(each["port"]) for each in service["spec"]["ports"]}:
        yield f"{named(worker)}: there is no Service {host} with port {port}"
    elif service["spec"].get("clusterIP") != "None" or service["spec"].get("publishNotReadyAddresses") is not True:
        yield f"{named(service)} does not lead to a master that is not ready yet"
    if not told.get("LOADGEN_LISTEN", "").endswith(f":{port}"):
        yield f"{named(master)} listens elsewhere than at port {port}"
