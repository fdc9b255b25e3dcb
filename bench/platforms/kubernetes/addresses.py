"""Where the bench finds API and store of the cluster: ports of this machine that lead there, and the oracle's login."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count, takewhile
from typing import Final

from bench.ends.errors import SetupError
from bench.platforms import http_client
from bench.platforms.kubernetes.kubectl import Kubectl
from bench.platforms.kubernetes.pods import until
from bench.platforms.postgres.cluster import free_port
from bench.platforms.postgres.logins import variable
from bench.platforms.preparation import answers
from bench.platforms.processes import Processes
from settings.children import KUBECTL, PYTHON

THROUGH: Final = " of the cluster, through a port of this machine"
HERE: Final = "127.0.0.1"
API_PORT: Final = "8000"
CONFIG: Final = "database"
AT: Final = "at"


def places(data: Mapping[str, str]) -> list[str]:
    """Where the shards are by the ConfigMap `database`, in their order: `at`, then `at-1`, `at-2` and what follows."""
    keys = chain((AT,), (f"{AT}-{number}" for number in count(1)))
    return [str(data[key]) for key in takewhile(data.__contains__, keys)]


def stores(kubectl: Kubectl) -> list[str]:
    """The same of the namespace; none without that ConfigMap. Raises SetupError."""
    found = kubectl.documents("get", "configmap", CONFIG, "--ignore-not-found")
    return places(found[0]["data"]) if found else []


@dataclass(frozen=True)
class Forwards:
    """Ports of this machine that lead into the cluster, each kept by a process of the run."""

    kubectl: Kubectl
    processes: Processes

    def api(self) -> str:
        """The API's address, here. Raises RunFailed where it does not get ready."""
        address = f"http://{HERE}:{self._forward('service/api', API_PORT, 'api')}"
        until(lambda: http_client.ready(address), f"the API{THROUGH}")
        return address

    def databases(self, given: str | None) -> list[str]:
        """The address of each shard's store for the oracle: the given one alone, else those of the ConfigMap.

        Raises SetupError where there is none.
        """
        if given is not None:
            return [given]
        if not (found := stores(self.kubectl)):
            raise SetupError(
                "DATABASE_URL", f"the namespace has no ConfigMap {CONFIG} with the key {AT}", "give it, or make that"
            )
        return [
            self._database(place, f"postgres-{number}" if number else "postgres") for number, place in enumerate(found)
        ]

    def _database(self, place: str, name: str) -> str:
        """A name without a dot is a Service of the namespace, to which a port leads from here."""
        server, slash, rest = place.partition("/")
        host, _, port = server.partition(":")
        if "." not in host:
            place = f"{HERE}:{self._forward(f'service/{host}', port or '5432', name)}{slash}{rest}"
        address = f"postgresql://tidemark_oracle:{self._password()}@{place}"
        until(lambda: answers(address), f"{name}{THROUGH}")
        return address

    def _password(self) -> str:
        (found,) = self.kubectl.documents("get", "secret", "tidemark-passwords")
        return base64.b64decode(found["data"][variable("oracle")]).decode("ascii")

    def _forward(self, target: str, port: str, name: str) -> int:
        here = free_port()
        command = ["-m", "bench.platforms.kubernetes.forward", str(self.kubectl.namespace), target, str(here), port]
        environment = {**PYTHON.environment(), **KUBECTL.environment()}
        # Whoever it leads to may be killed by a fault; it leads to another one then.
        self.processes.start(f"forward-{name}", command, environment, refuses=False).expendable = True
        return here
