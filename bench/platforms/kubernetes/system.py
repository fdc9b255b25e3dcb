"""A run in a cluster: settings and number of projectors are set, the load generator runs once, nothing is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import ROOT
from bench.ends.guardian import Guardian
from bench.platforms import http_client
from bench.platforms.kubernetes import load, pods, scale
from bench.platforms.kubernetes.addresses import Forwards
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.kubernetes.load import Load
from bench.platforms.kubernetes.parts import PodPart
from bench.platforms.kubernetes.place import NAME, overlay
from bench.platforms.platform import Kind, Leaders, Part, System
from bench.platforms.postgres.logins import Logins
from bench.platforms.preparation import examined_as_reader, reach
from bench.platforms.processes import Process, Processes
from bench.preflight import description
from bench.preflight.global_order import catch_up
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Versions
from settings.children import KUBECTL, PYTHON

KINDS: Final[tuple[Kind, ...]] = ("api", "projector")
ELSEWHERE: Final = "the pods' processes are not seen from here: they may be on any machine of the cluster"


class Cluster:
    """The platform: API and projectors as they run in the namespace, one part a pod."""

    name = NAME

    def __init__(
        self, kubectl: Kubectl, own: Load, settings: Settings, api: str, processes: Processes, log: Path
    ) -> None:
        self._kubectl = kubectl
        self._load = own
        self._settings = settings
        self._processes = processes
        self._parts: list[Part] = []
        self._api = api
        self._log = log

    def find_parts(self, guardian: Guardian) -> None:
        """Take the pods that are there now for its parts."""
        ready: dict[Kind, Callable[[PodPart], bool]] = {
            "api": lambda _: http_client.ready(self._api),
            "projector": lambda part: http_client.at_work(self._api, part.holder),
        }
        self._parts = [
            PodPart(self._kubectl, kind, pods.name_of(pod), ready[kind], guardian=guardian)
            for kind in KINDS
            for pod in pods.pods(self._kubectl, kind)
            if pods.ready(pod)
        ]

    def parts(self) -> list[Part]:
        """API and projectors; Postgres is its operator's, or a cloud's."""
        return list(self._parts)

    def leaders(self) -> Leaders:
        """None: whatever of the cluster is on this machine can not be told from others."""
        return Leaders({}, ELSEWHERE)

    def start_loadgen(self, folder: Path) -> Process:
        """Start the load generator in a pod of its own, whose files come to `folder`, and its workers."""
        self._load.start(self._kubectl, self._log, load.workers(self._settings))
        told = [f"{name}={value}" for name, value in load.told(self._settings, folder.name).items()]
        place = [str(self._kubectl.namespace), load.POD, str(folder.resolve())]
        command = ["-m", "bench.platforms.kubernetes.generator", *place, *told]
        return self._processes.start("loadgen", command, {**PYTHON.environment(), **KUBECTL.environment()})

    def versions(self) -> Versions:
        """What runs there, by the digests of its images: not what lies in the folder by now."""
        images = {
            status["name"]: str(status["imageID"])
            for kind in KINDS
            for pod in pods.pods(self._kubectl, kind)
            for status in pod.get("status", {}).get("containerStatuses", [])
        }
        python = self._kubectl.run("exec", "deployment/api", "--", "python", "--version").strip()
        return {
            **description.versions(ROOT),
            "revision": " ".join(f"{name}={image}" for name, image in sorted(images.items())),
            "dirty": None,
            "python": f"C{python}",
        }


@contextmanager
def running(platform: str, settings: Settings, log: Path, progress: Progress) -> Iterator[System]:
    """Set API and projectors of the cluster as the settings want them; at the end, their logs are in `log`.

    Raises SetupError where kubectl, the cluster, its number of shards or an autoscaler does not allow it, RunFailed
    where they are not reached.
    """
    began = datetime.now(UTC)
    own = Load.read(overlay(platform))
    kubectl = Kubectl(own.namespace)
    seen = settings.without_observation()
    scale.require_shards(kubectl, seen.shards)
    scale.require_unscaled(kubectl)
    progress.step(f"setting the cluster to {seen.projectors} projector(s): {seen.strategy}")
    scale.apply(kubectl, seen)
    with Guardian() as guardian:
        processes = Processes(log, guardian)
        try:
            guardian.run(kubectl.command(*load.removal()), kubectl.variables)
            progress.step("reaching its API and its Postgres through ports of this machine")
            forwards = Forwards(kubectl, processes)
            api, databases = forwards.api(), forwards.databases(settings.database_url)
            http_client.settle(api, seen.projectors, seen.strategy)
            told_by_server = reach(databases[0], source=f"the cluster, namespace {own.namespace}", profile="given")
            if seen.mode == "serial":
                progress.step("waiting for the global order to be walked to its end")
                for each in databases:
                    catch_up(each)
            cluster = Cluster(kubectl, own, seen, api, processes, log)
            cluster.find_parts(guardian)
            yield System(
                platform=cluster,
                settings=seen,
                base_url=api,
                logins=Logins.given(databases[0]),
                postgres=told_by_server,
                doctor=examined_as_reader(seen, *databases),
                processes=processes,
                influx=None,
                further=tuple(map(Logins.given, databases[1:])),
            )
        finally:
            processes.stop()
            load.end(kubectl)
            guardian.spare(kubectl.command(*load.removal()))
            _keep_logs(kubectl, log, began)


def _keep_logs(kubectl: Kubectl, log: Path, since: datetime) -> None:
    for kind in KINDS:
        asked = ["--selector", f"{pods.PART_OF}{kind}", "--since-time", since.isoformat(), "--tail", "-1", "--prefix"]
        done = kubectl.call("logs", *asked)
        if done.returncode == 0 and done.stdout:
            (log / f"{kind}.log").write_text(done.stdout, encoding="utf-8")
