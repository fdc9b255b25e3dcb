"""Settings and replicas of a run in the cluster: of API and projectors, and nothing that an autoscaler sets."""

from __future__ import annotations

from typing import Final

from bench.ends.errors import SetupError
from bench.platforms.kubernetes import addresses, pods
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.platform import LacksShards
from bench.preflight.settings import Settings
from settings import catalogue
from settings.catalogue.database import SHARDS
from settings.catalogue.kinds import Reader
from settings.hiding import is_secret

ROLLED_OUT_S: Final = 300
API: Final = "api"
PROJECTOR: Final = "projector"
READERS: Final[tuple[Reader, ...]] = (API, PROJECTOR)


def require_unscaled(kubectl: Kubectl) -> None:
    """Raise SetupError where an autoscaler sets the number of projectors, which a run has to set."""
    for found in kubectl.documents("get", "horizontalpodautoscalers"):
        target = found["spec"]["scaleTargetRef"]
        if target["kind"] == "Deployment" and target["name"] == PROJECTOR:
            raise SetupError(
                PROJECTOR,
                f"its number is set by the HorizontalPodAutoscaler {found['metadata']['name']}",
                f"pause it: kubectl annotate scaledobject {PROJECTOR} autoscaling.keda.sh/paused-replicas=1",
            )


def require_shards(kubectl: Kubectl, shards: int) -> None:
    """Raise SetupError where the cluster's store is of another number of shards; LacksShards where it is of fewer."""
    there = max(1, len(addresses.stores(kubectl)))
    if shards != there:
        lacks = LacksShards if shards > there else SetupError
        raise lacks(
            SHARDS.name, f"is {shards}, and the store of the cluster is of {there}", f"set {SHARDS.name}={there}"
        )


def settings_of(settings: Settings, reader: Reader) -> list[str]:
    """NAME=value of all that a run tells this process; NAME- where it is to have its default."""
    known = set(catalogue.names(reader))
    told = {name: value for name, value in settings.environment().items() if name in known and not is_secret(name)}
    return [f"{name}={value}" if value else f"{name}-" for name, value in sorted(told.items())]


def apply(kubectl: Kubectl, settings: Settings) -> None:
    """Tell API and projectors their settings and their number, and wait until all pods are of these. Raises SetupError.

    Only what differs is started anew.
    """
    for reader in READERS:
        kubectl.run("set", "env", f"deployment/{reader}", f"--containers={reader}", *settings_of(settings, reader))
    pods.scale(kubectl, PROJECTOR, settings.projectors)
    for reader in READERS:
        rolled_out(kubectl, reader)


def rolled_out(kubectl: Kubectl, deployment: str) -> None:
    """Wait until a Deployment has the pods that it is to have, all ready. Raises SetupError."""
    timeout = f"--timeout={ROLLED_OUT_S}s"
    kubectl.run("rollout", "status", f"deployment/{deployment}", timeout, within_s=ROLLED_OUT_S + 30)
