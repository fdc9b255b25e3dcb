"""What the manifests say of our own programs, tried on these: handlers are asked, modules found, settings read."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any, Final, cast

import httpx

from services import health
from services.api.app import create_asgi
from services.api.settings import Settings as Api
from services.loadgen.settings import Settings as Loadgen
from services.projector.settings import Settings as Projector
from settings import SettingError, catalogue
from settings.catalogue.kinds import Reader
from tests.architecture.test_images import copied, place
from tests.kubernetes.manifests import at, containers, of_kind, variables
from tests.kubernetes.rendering import Document

CHECKS: Final = ("startupProbe", "readinessProbe", "livenessProbe")
HANDLERS: Final = {"httpGet", "exec", "tcpSocket", "grpc"}
NOWHERE: Final = "postgresql://nobody@127.0.0.1:1/nothing"
PARTS: Final = {"DATABASE_AT", "DATABASE_AT_1", "DATABASE_PASSWORD", "DATABASE_OWNER", "LISTEN_AT", "POD_NAME"}
"""Variables that stand in others alone."""
READ: Final[Mapping[str, Callable[[Mapping[str, str]], object]]] = {
    "api": Api.from_env,
    "projector": Projector.from_env,
    "loadgen": Loadgen.from_env,
}


def handlers(documents: list[Document]) -> Iterator[str]:
    """Each check of a container has one handler; what stays up has all three checks, and patience with a slow start."""
    for pod, container in containers(documents):
        for name in CHECKS:
            if name in container and len(HANDLERS & set(container[name])) != 1:
                yield f"{pod.name}: {name} has {sorted(HANDLERS & set(container[name]))} for one handler"
    for pod, container in containers(of_kind(documents, "Deployment")):
        yield from (f"{pod.name} has no {name}" for name in CHECKS if name not in container)
        start, live = container.get("startupProbe", {}), container.get("livenessProbe", {})
        if start.get("periodSeconds", 10) * start.get("failureThreshold", 3) < 30:
            yield f"{pod.name} is given up before it has started on a busy node"
        if live.get("periodSeconds", 10) * live.get("failureThreshold", 3) < 30:
            yield f"{pod.name} is killed for a moment without an answer"


def routes(documents: list[Document]) -> Iterator[str]:
    """Readiness says no while the store is away; liveness and the start say yes, whatever becomes of the store."""
    for pod, container in containers(documents):
        for name in CHECKS:
            wanted = name != "readinessProbe"
            if (path := at(container, f"{name}.httpGet.path")) is not None:
                status = answered(path)
                if status not in (200, 503) or (status == 200) != wanted:
                    yield f"{pod.name}: {name} GET {path} answers {status} while the store is away"
            elif (command := at(container, f"{name}.exec.command")) is not None:
                code = checked(tuple(command), at_file(documents, container))
                if code != int(not wanted):
                    yield f"{pod.name}: {name} {' '.join(command)} ends with {code} while the store is away"


def modules(documents: list[Document]) -> Iterator[str]:
    """Each `python -m` that a container runs, or a check of it, is a module that its image has."""
    for pod, container in containers(documents):
        commands = [container.get("command", [])]
        commands += [at(container, f"{name}.exec.command", []) for name in CHECKS]
        for command in filter(None, commands):
            image = str(container["image"]).rpartition("/")[2].partition(":")[0].removeprefix("tidemark-")
            if command[:2] != ["python", "-m"] or not _found(command[2]):
                yield f"{pod.name}: {' '.join(command)} finds no module"
            elif place(command[2]) not in copied(image):
                yield f"{pod.name}: {command[2]} is not in the image of {image}"


def settings(documents: list[Document]) -> Iterator[str]:
    """Each variable is a setting of the process, and all of them together are read without a refusal."""
    for pod, container in containers(documents):
        told, name = variables(documents, container), container["name"]
        known = {*catalogue.names(cast(Reader, name)), *PARTS}
        if name in ("api", "projector"):
            # They share one ConfigMap.
            known |= {*catalogue.names("api"), *catalogue.names("projector")}
        if name == "migrate":
            known |= set(catalogue.names("roles"))
        yield from (f"{pod.name}: {each} is no setting of {name}" for each in sorted(set(told) - known))
        try:
            if name in READ:
                READ[name](told)
        except SettingError as error:
            yield f"{pod.name}: {error}"


def service_links(documents: list[Document]) -> Iterator[str]:
    """No Service's own variables (API_PORT=tcp://…) stand in for a setting."""
    links = {
        f"{str(one['metadata']['name']).upper().replace('-', '_')}_PORT" for one in of_kind(documents, "Service")
    } & {setting.name for setting in catalogue.every()}
    for pod, _ in containers(documents):
        if links and pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod.name} is told {sorted(links)} by Services"


@cache
def answered(path: str) -> int:
    """The status of our API for a GET, in this process, while its store is away."""

    async def ask() -> int:
        app: Any = create_asgi(Api.from_env({"DATABASE_URL": NOWHERE})).app
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:
            return (await client.get(path)).status_code

    return asyncio.run(ask())


@cache
def checked(command: tuple[str, ...], file: str) -> int:
    """The exit code of a health command while its process runs, and its store is away."""
    if command[:3] != ("python", "-m", "services.health"):
        return 127
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        here = Path(folder) / "health.json"
        health.HealthFile(here).write("the store has not heard of this projector for 9 s")
        return health.main([str(here) if word == file else word for word in command[3:]])


def at_file(documents: list[Document], container: Mapping[str, Any]) -> str:
    """Where the container's process says how it is."""
    return variables(documents, container).get("HEALTH_FILE", "")


def _found(module: str) -> bool:
    try:
        spec = find_spec(module)
        return spec is not None and (
            spec.submodule_search_locations is None or find_spec(f"{module}.__main__") is not None
        )
    except ModuleNotFoundError:
        return False
