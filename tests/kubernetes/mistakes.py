"""Mistakes that are planted in what is rendered: an API server lets them pass, or they are found too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.kubernetes.manifests import find
from tests.kubernetes.rendering import EVERYTHING, Document

Documents = list[Document]


@dataclass(frozen=True)
class Mistake:
    """What is wrong, in words, and how it is planted in `where`; `rule` is ours that has to name it, if any."""

    name: str
    plant: Callable[[Documents], None]
    rule: str = ""
    where: str = EVERYTHING


def the(documents: Documents, kind: str, name: str) -> Any:
    """The document that has to be there."""
    found = find(documents, kind, name)
    assert found is not None, f"{kind} {name}"
    return found


def pod(documents: Documents, name: str, kind: str = "Deployment") -> Any:
    return the(documents, kind, name)["spec"]["template"]["spec"]


def container(documents: Documents, name: str, kind: str = "Deployment") -> Any:
    return pod(documents, name, kind)["containers"][0]


def variable(documents: Documents, workload: str, name: str, kind: str = "Deployment") -> Any:
    return next(entry for entry in container(documents, workload, kind)["env"] if entry["name"] == name)


def service_selector(documents: Documents) -> None:
    the(documents, "Service", "api")["spec"]["selector"]["app.kubernetes.io/component"] = "apis"


def service_port(documents: Documents) -> None:
    the(documents, "Service", "api")["spec"]["ports"][0]["targetPort"] = "web"


def deployment_selector(documents: Documents) -> None:
    selector = the(documents, "Deployment", "projector")["spec"]["selector"]["matchLabels"]
    selector["app.kubernetes.io/component"] = "api"


def budget_selector(documents: Documents) -> None:
    budget = the(documents, "PodDisruptionBudget", "projector")
    budget["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] = "projectors"


def policy_selector(documents: Documents) -> None:
    peers = the(documents, "NetworkPolicy", "api")["spec"]["ingress"][0]["from"]
    peers[0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] = "locust"


def policy_port(documents: Documents) -> None:
    the(documents, "NetworkPolicy", "api")["spec"]["ingress"][0]["ports"][0]["port"] = 8080


def config_map(documents: Documents) -> None:
    container(documents, "api")["envFrom"][0]["configMapRef"]["name"] = "setting"


def config_map_key(documents: Documents) -> None:
    variable(documents, "api", "DATABASE_AT")["valueFrom"]["configMapKeyRef"]["key"] = "address"


def secret_key(documents: Documents) -> None:
    variable(documents, "projector", "DATABASE_PASSWORD")["valueFrom"]["secretKeyRef"]["key"] = "PROJECTOR_PASSWORD"


def volume(documents: Documents) -> None:
    container(documents, "api")["volumeMounts"][0]["name"] = "temporary"


def claim(documents: Documents) -> None:
    pod(documents, "loadgen", "Job")["volumes"][0]["persistentVolumeClaim"]["claimName"] = "bundles"


def variable_order(documents: Documents) -> None:
    container(documents, "api")["env"].reverse()


def setting(documents: Documents) -> None:
    container(documents, "projector")["env"].append({"name": "STRATEGIE", "value": "stream-locks"})


def setting_value(documents: Documents) -> None:
    container(documents, "projector")["env"].append({"name": "STREAMS_IN_FLIGHT", "value": "many"})


def service_links(documents: Documents) -> None:
    del pod(documents, "api")["enableServiceLinks"]


def scale_target(documents: Documents) -> None:
    the(documents, "ScaledObject", "projector")["spec"]["scaleTargetRef"]["name"] = "projectors"


def scale_bounds(documents: Documents) -> None:
    the(documents, "ScaledObject", "projector")["spec"]["minReplicaCount"] = 9


def autoscaler_bounds(documents: Documents) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    spec = {"scaleTargetRef": target, "minReplicas": 4, "maxReplicas": 2}
    metadata = {"name": "api", "namespace": "tidemark"}
    documents.append(
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata, "spec": spec}
    )


def keda_field(documents: Documents) -> None:
    spec = the(documents, "ScaledObject", "projector")["spec"]
    spec["minReplicas"] = spec.pop("minReplicaCount")
    spec["minReplicaCount"] = 1


def keda_trigger(documents: Documents) -> None:
    metadata = the(documents, "ScaledObject", "projector")["spec"]["triggers"][0]["metadata"]
    metadata["targetValue"] = metadata.pop("targetQueryValue")


def keda_store(documents: Documents) -> None:
    metadata = the(documents, "ScaledObject", "projector")["spec"]["triggers"][0]["metadata"]
    metadata["host"] = "tidemark-db-rw"


def job_again(documents: Documents) -> None:
    the(documents, "Job", "loadgen")["spec"]["backoffLimit"] = 3


def job_workers(documents: Documents) -> None:
    the(documents, "Job", "loadgen-worker")["spec"] |= {"completions": 4, "parallelism": 4}


def master_unready(documents: Documents) -> None:
    del the(documents, "Service", "loadgen")["spec"]["publishNotReadyAddresses"]


def two_handlers(documents: Documents) -> None:
    container(documents, "api")["readinessProbe"]["exec"] = {"command": ["python", "-m", "services.health"]}


def unknown_route(documents: Documents) -> None:
    container(documents, "api")["readinessProbe"]["httpGet"]["path"] = "/ready"


def liveness_on_store(documents: Documents) -> None:
    container(documents, "api")["livenessProbe"]["httpGet"]["path"] = "/readyz"


def unknown_module(documents: Documents) -> None:
    container(documents, "projector")["livenessProbe"]["exec"]["command"][2] = "services.projector.health"


def other_image(documents: Documents) -> None:
    container(documents, "loadgen-worker", "Job")["image"] = "tidemark-projector:0.1.0"


def grace(documents: Documents) -> None:
    pod(documents, "api")["terminationGracePeriodSeconds"] = 10


def misspelt_field(documents: Documents) -> None:
    spec = the(documents, "Deployment", "api")["spec"]
    spec["replica"] = spec.pop("replicas")


def wrong_type(documents: Documents) -> None:
    container(documents, "api")["resources"]["requests"]["memory"] = {"value": "512Mi"}


def old_version(documents: Documents) -> None:
    the(documents, "PodDisruptionBudget", "api")["apiVersion"] = "policy/v1beta1"


def root(documents: Documents) -> None:
    pod(documents, "api")["securityContext"]["runAsUser"] = 0


def privileged(documents: Documents) -> None:
    container(documents, "api")["securityContext"]["privileged"] = True


def no_memory(documents: Documents) -> None:
    del container(documents, "projector")["resources"]["limits"]


def closed_budget(documents: Documents) -> None:
    the(documents, "PodDisruptionBudget", "api")["spec"]["maxUnavailable"] = 0


def latest(documents: Documents) -> None:
    container(documents, "api")["image"] = "tidemark-api:latest"


def no_budget(documents: Documents) -> None:
    documents.remove(the(documents, "PodDisruptionBudget", "projector"))


def no_spread(documents: Documents) -> None:
    del pod(documents, "api")["topologySpreadConstraints"]


def no_pause(documents: Documents) -> None:
    del container(documents, "api")["lifecycle"]


def job_for_ever(documents: Documents) -> None:
    del the(documents, "Job", "migrate")["spec"]["ttlSecondsAfterFinished"]


def no_fallback(documents: Documents) -> None:
    del the(documents, "ScaledObject", "projector")["spec"]["fallback"]


def none_at_rest(documents: Documents) -> None:
    the(documents, "ScaledObject", "projector")["spec"]["minReplicaCount"] = 0


def open_to_all(documents: Documents) -> None:
    the(documents, "NetworkPolicy", "default-deny")["spec"]["policyTypes"] = ["Ingress"]


def no_liveness(documents: Documents) -> None:
    del container(documents, "projector")["livenessProbe"]


def throttled_server(documents: Documents) -> None:
    the(documents, "Cluster", "tidemark-db")["spec"]["resources"]["limits"]["cpu"] = "2"


def unpinned_pooler(documents: Documents) -> None:
    del the(documents, "Pooler", "tidemark-pooler")["spec"]["template"]["spec"]["containers"][0]["image"]


def scaler_login(documents: Documents) -> None:
    triggers = the(documents, "ScaledObject", "projector")["spec"]["triggers"]
    triggers[0]["metadata"]["userName"] = "tidemark_projector"


MISTAKES: Final = (
    Mistake("a Service selects no pod", service_selector, "references.selectors"),
    Mistake("a Service leads to a port that no pod opens", service_port, "references.service_ports"),
    Mistake("a Deployment does not select its own pods", deployment_selector, "references.selectors"),
    Mistake("a PodDisruptionBudget protects nobody", budget_selector, "references.selectors"),
    Mistake("a NetworkPolicy lets nobody in", policy_selector, "policies.selectors"),
    Mistake("a ConfigMap that is not there", config_map, "references.config_maps"),
    Mistake("a key that a ConfigMap does not have", config_map_key, "references.config_maps"),
    Mistake("a key that a Secret does not have", secret_key, "references.secrets"),
    Mistake("a mounted volume that is not there", volume, "references.volumes"),
    Mistake("a variable that stands before its parts", variable_order, "references.expansions"),
    Mistake("a scale target that is not there", scale_target, "scaling.targets"),
    Mistake("more pods at least than at most", scale_bounds, "scaling.bounds"),
    Mistake("a field that KEDA does not have", keda_field, "scaling.fields"),
    Mistake("a trigger's field that KEDA does not have", keda_trigger, "scaling.fields"),
    Mistake("a run that is tried until it holds", job_again, "bounds.jobs"),
    Mistake("other workers than the master waits for", job_workers, "bounds.workers"),
    Mistake("a check with two handlers", two_handlers, "application.handlers"),
    Mistake("a route that the API does not have", unknown_route, "application.routes"),
    Mistake("liveness that hangs on the database", liveness_on_store, "application.routes"),
    Mistake("a module that is not there", unknown_module, "application.modules"),
    Mistake("a misspelt field of a Deployment", misspelt_field),
    Mistake("a field of a wrong type", wrong_type),
    Mistake("a privileged container", privileged, "hardened.containers"),
    Mistake("no memory limit", no_memory, "hardened.resources"),
)
"""One of each kind of thing that leads nowhere, does not fit, or is not allowed."""

MORE: Final = (
    Mistake("a NetworkPolicy lets a port in that nobody opens", policy_port, "policies.ports"),
    Mistake("a claim that is not there", claim, "references.volumes"),
    Mistake("a variable that is no setting", setting, "application.settings"),
    Mistake("a value that a setting does not take", setting_value, "application.settings"),
    Mistake("a Service's variable in place of a setting", service_links, "application.service_links"),
    Mistake("an autoscaler with more at least than at most", autoscaler_bounds, "scaling.bounds"),
    Mistake("a server that KEDA can not find from its namespace", keda_store, "scaling.stores"),
    Mistake("a master that workers find too late", master_unready, "bounds.workers"),
    Mistake("a module that the image does not have", other_image, "application.modules"),
    Mistake("a pod that is killed with requests under way", grace, "bounds.graces"),
    Mistake("a version of an API that is gone", old_version),
    Mistake("a pod that runs as root", root, "hardened.pods"),
    Mistake("a budget that lets nobody go", closed_budget, "bounds.replicas"),
    Mistake("an image without a version", latest, "hardened.images"),
    Mistake("a Deployment that an emptied node takes as a whole", no_budget, "bounds.replicas"),
    Mistake("a Deployment with all of its pods on one node", no_spread, "bounds.replicas"),
    Mistake("a pod that ends while requests still come to it", no_pause, "bounds.graces"),
    Mistake("a Job that is never removed", job_for_ever, "bounds.jobs"),
    Mistake("an autoscaler without a number to fall back to", no_fallback, "scaling.bounds"),
    Mistake("nobody who listens at rest", none_at_rest, "scaling.bounds"),
    Mistake("a namespace that anything may leave", open_to_all, "policies.selectors"),
    Mistake("a Deployment without a liveness check", no_liveness, "application.handlers"),
    Mistake("a server with a limit of CPU", throttled_server, "hardened.resources"),
    Mistake("a pooler of whatever version", unpinned_pooler, "hardened.images"),
    Mistake("a scaler with the login of a projector", scaler_login, "shards.triggers"),
)
"""What our own rules know besides."""
