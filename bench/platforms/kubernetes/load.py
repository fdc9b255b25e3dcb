"""The load generator of a run in the cluster: a pod that waits for its orders, and a Job of Locust workers.

Both are made of the component `load` as the user's own folder has it, so image, resources and volumes are his. The
bench carries the run out in the pod, and takes its files before the pod goes (`generator`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Self

from bench.ends.errors import SetupError
from bench.platforms.kubernetes.kubectl import Kubectl, connect
from bench.platforms.preparation import capabilities
from bench.preflight.settings import Settings
from settings import Environment, catalogue
from settings.catalogue.load import LOADGEN_WORKERS, RESULTS_DIR, RUN_ID
from settings.hiding import is_secret

MASTER: Final = "loadgen"
WORKER: Final = "loadgen-worker"
POD: Final = "loadgen-run"
WORKERS: Final = "loadgen-worker-run"
BESIDE: Final = ("Service", "PersistentVolumeClaim", "ConfigMap")
FOLDER: Final = "/results"
STARTED_S: Final = 300
LONGEST_S: Final = 6 * 3600
"""A pod that its bench has left behind ends by itself."""


class Load:
    """What the folder has of the load: two Jobs, and what these need beside them."""

    def __init__(
        self, master: Mapping[str, Any], worker: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]
    ) -> None:
        self._master: Final = master
        self._worker: Final = worker
        self._beside: Final = beside

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Have kubectl render the folder. Raises SetupError where the component is not in it."""
        found = connect().documents("create", "--dry-run=client", "--kustomize", str(folder))
        jobs = {one["metadata"]["name"]: one for one in found if one["kind"] == "Job"}
        if not {MASTER, WORKER} <= set(jobs):
            raise SetupError("PLATFORM", f"{folder} renders no Jobs {MASTER} and {WORKER}", "add the component `load`")
        return cls(jobs[MASTER], jobs[WORKER], [one for one in found if one["kind"] in BESIDE])

    @property
    def namespace(self) -> str:
        """Where it runs, and with it what it measures."""
        return str(self._master["metadata"].get("namespace", "default"))

    def start(self, kubectl: Kubectl, log: Path, workers: int) -> None:
        """Start the pod and so many workers, and wait until they run; what was sent is kept in `log`.

        Raises SetupError.
        """
        end(kubectl)
        items = [*self._beside, self.pod(), *([self.workers(workers)] if workers else [])]
        sent = log / "load.json"
        sent.write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1) + "\n", encoding="utf-8"
        )
        kubectl.run("apply", "--filename", str(sent))
        timeout = f"--timeout={STARTED_S}s"
        kubectl.run("wait", "--for=condition=Ready", f"pod/{POD}", timeout, within_s=STARTED_S + 30)
        if workers:
            running = f"--for=jsonpath={{.status.ready}}={workers}"
            kubectl.run("wait", running, f"job/{WORKERS}", timeout, within_s=STARTED_S + 30)

    def pod(self) -> dict[str, Any]:
        """The Job's pod, which does nothing until it is told to."""
        template = deepcopy(self._master["spec"]["template"])
        container = template["spec"]["containers"][0]
        container["command"] = ["sleep", str(LONGEST_S)]
        container.pop("args", None)
        spec = {**template["spec"], "activeDeadlineSeconds": LONGEST_S}
        metadata = {"name": POD, "namespace": self.namespace, "labels": template["metadata"]["labels"]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def workers(self, count: int) -> dict[str, Any]:
        """The Job of so many workers."""
        spec = {**deepcopy(self._worker["spec"]), "completions": count, "parallelism": count}
        metadata = {"name": WORKERS, "namespace": self.namespace, "labels": self._worker["metadata"]["labels"]}
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def end(kubectl: Kubectl) -> None:
    """Remove pod and workers of a run, harmless where there are none."""
    kubectl.run(*removal(), within_s=STARTED_S)


def removal() -> list[str]:
    """The arguments of kubectl that do it."""
    return ["delete", f"pod/{POD}", f"job/{WORKERS}", "--ignore-not-found", "--grace-period=5"]


def told(settings: Settings, run_id: str) -> dict[str, str]:
    """The variables of one run, for a load generator in the cluster. None of them is a secret."""
    known = set(catalogue.names("loadgen"))
    given = {**settings.environment(), **capabilities(settings)}
    told = {name: value for name, value in given.items() if name in known and not is_secret(name)}
    fixed = {RESULTS_DIR.name: f"{FOLDER}/{run_id}", RUN_ID.name: run_id}
    return {**told, **fixed, LOADGEN_WORKERS.name: str(workers(settings))}


def workers(settings: Settings) -> int:
    """How many Locust workers have the users: LOADGEN_WORKERS of who runs the bench."""
    return int(LOADGEN_WORKERS.read(Environment(settings.environment())))
