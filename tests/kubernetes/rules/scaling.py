"""Autoscalers and the kinds of other projects: what they scale is there, their bounds fit, their fields are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.kubernetes.manifests import at, find, named, of_kind
from tests.kubernetes.rendering import Document

ANY: Final[dict[str, Any]] = {"*": None}
_POLICIES: Final = {
    "stabilizationWindowSeconds": None,
    "policies": [{"type": None, "value": None, "periodSeconds": None}],
}
_LABELS: Final = {"matchLabels": ANY}
_RESOURCES: Final = {"requests": ANY, "limits": ANY}

FIELDS: Final[Mapping[str, dict[str, Any]]] = {
    "ScaledObject": {
        "scaleTargetRef": {"apiVersion": None, "kind": None, "name": None},
        "pollingInterval": None,
        "cooldownPeriod": None,
        "minReplicaCount": None,
        "maxReplicaCount": None,
        "fallback": {"failureThreshold": None, "replicas": None, "behavior": None},
        "advanced": {
            "horizontalPodAutoscalerConfig": {"name": None, "behavior": {"scaleUp": _POLICIES, "scaleDown": _POLICIES}}
        },
        "triggers": [
            {
                "type": None,
                "metricType": None,
                "authenticationRef": {"name": None},
                "metadata": {
                    **dict.fromkeys(("host", "port", "userName", "dbName", "sslmode", "query")),
                    **dict.fromkeys(("targetQueryValue", "activationTargetQueryValue")),
                },
            }
        ],
    },
    "TriggerAuthentication": {"secretTargetRef": [{"parameter": None, "name": None, "key": None}]},
    "Cluster": {
        "instances": None,
        "imageName": None,
        "enableSuperuserAccess": None,
        "bootstrap": {
            "initdb": {
                **dict.fromkeys(("database", "owner", "encoding", "localeCollate", "localeCType", "dataChecksums")),
                "secret": {"name": None},
                "postInitSQL": None,
            }
        },
        "postgresql": {"parameters": ANY},
        "storage": {"size": None},
        "walStorage": {"size": None},
        "resources": _RESOURCES,
    },
    "Pooler": {
        "cluster": {"name": None},
        "instances": None,
        "type": None,
        "pgbouncer": {"poolMode": None, "parameters": ANY},
        "template": {"spec": {"containers": [{"name": None, "image": None, "resources": _RESOURCES}]}},
    },
    "PodMonitor": {"selector": _LABELS, "podMetricsEndpoints": [{"port": None, "path": None, "interval": None}]},
    "PrometheusRule": {
        "groups": [
            {"name": None, "rules": [{"alert": None, "expr": None, "for": None, "labels": ANY, "annotations": ANY}]}
        ]
    },
}
"""What we use of each kind that no schema at hand knows. An API server lets a misspelt field pass, and drops it."""


def targets(documents: list[Document]) -> Iterator[str]:
    """What is scaled, asked with, or pooled is there."""
    for one in of_kind(documents, "ScaledObject", "HorizontalPodAutoscaler"):
        target = at(one, "spec.scaleTargetRef", {})
        if find(documents, str(target.get("kind", "Deployment")), str(target.get("name"))) is None:
            yield f"{named(one)} scales {target.get('kind')} {target.get('name')}, which is not there"
        for trigger in at(one, "spec.triggers", []):
            if find(documents, "TriggerAuthentication", at(trigger, "authenticationRef.name", "")) is None:
                yield f"{named(one)} has no TriggerAuthentication {at(trigger, 'authenticationRef.name')}"
    for one in of_kind(documents, "ScaledObject"):
        if "replicas" in (find(documents, "Deployment", at(one, "spec.scaleTargetRef.name")) or {"spec": {}})["spec"]:
            yield f"{named(one)}: the Deployment sets the number, too, whenever it is applied"


def bounds(documents: list[Document]) -> Iterator[str]:
    """At least one, at most more than that, and a number to fall back to that is between both."""
    for one in of_kind(documents, "ScaledObject", "HorizontalPodAutoscaler"):
        spec = one["spec"]
        least = spec.get("minReplicaCount", spec.get("minReplicas", 0))
        most = spec.get("maxReplicaCount", spec.get("maxReplicas", 0))
        if not 1 <= least <= most:
            yield f"{named(one)} has from {least} to {most} pods"
        if one["kind"] == "ScaledObject":
            if not least <= at(spec, "fallback.replicas", 0) <= most or at(spec, "fallback.failureThreshold", 0) < 1:
                yield f"{named(one)} has no number to fall back to, where the store can not be asked"
            for trigger in spec.get("triggers", []):
                if trigger.get("metricType", "AverageValue") != "AverageValue":
                    yield f"{named(one)}: a fallback needs AverageValue"


def fields(documents: list[Document]) -> Iterator[str]:
    """No field but those of `FIELDS`, and no kind that neither these nor the validator know."""
    for one in documents:
        group = one["apiVersion"].partition("/")[0]
        if one["kind"] in FIELDS:
            yield from (f"{named(one)}: no field {path}" for path in _unknown(one["spec"], FIELDS[one["kind"]], "spec"))
        elif "." in group and not group.endswith(".k8s.io"):
            yield f"{named(one)}: nobody knows the fields of {group}"


def stores(documents: list[Document]) -> Iterator[str]:
    """Whoever asks Postgres asks one that is there: the cluster's own Service, or the pooler before it."""
    clusters = of_kind(documents, "Cluster")
    if not clusters:
        return
    for one in of_kind(documents, "Pooler"):
        if find(documents, "Cluster", at(one, "spec.cluster.name")) is None:
            yield f"{named(one)} is before no cluster"
    services = {f"{one['metadata']['name']}-rw": one["metadata"].get("namespace") for one in clusters}
    known = {*services, *(one["metadata"]["name"] for one in of_kind(documents, "Pooler"))}
    for key, value in (find(documents, "ConfigMap", "database") or {"data": {}})["data"].items():
        host = value.partition(":")[0]
        if host not in known:
            yield f"ConfigMap database: {key} leads to {host}, which is not there"
    for one in of_kind(documents, "ScaledObject"):
        for trigger in one["spec"]["triggers"]:
            host = at(trigger, "metadata.host", "")
            if host not in {f"{service}.{namespace}.svc" for service, namespace in services.items()}:
                yield f"{named(one)} asks {host}, which is not there"


def _unknown(value: Any, known: Any, path: str) -> Iterator[str]:
    if isinstance(known, list):
        for each in value:
            yield from _unknown(each, known[0], path)
    elif isinstance(known, dict) and "*" not in known:
        for name, below in value.items():
            if name not in known:
                yield f"{path}.{name}"
            else:
                yield from _unknown(below, known[name], f"{path}.{name}")
