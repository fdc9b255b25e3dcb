"""What every platform does for a run: the environment of services, a look at the database, the load generator."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg

from bench import ROOT
from bench.ends.bounded import NoAnswer, ask
from bench.ends.errors import SetupError
from bench.oracle.database import ambient, connect, run
from bench.platforms.postgres.logins import addresses
from bench.platforms.processes import Process, Processes
from bench.preflight import description
from bench.preflight.examination import Doctor, examine
from bench.preflight.settings import Settings
from bench.report.progress import Progress
from metrics.records.surroundings import Postgres
from settings import catalogue, plugins
from settings.catalogue.kinds import Reader
from settings.catalogue.load import TARGET_CAPABILITIES
from settings.children import GIVEN_DATABASE, PYTHON
from settings.hiding import hide

THEIRS: Final[tuple[Reader, ...]] = ("api", "projector", "migrate", "roles", "doctor")
NOT_THEIRS: Final = frozenset(one.name for one in catalogue.every() if not set(THEIRS) & set(one.readers))
"""Settings of the load generator and of the bench alone, a token for InfluxDB among them."""
CHECK_S: Final = 60.0
CLIENT_ERRORS: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)


def environment(settings: Settings, **addresses: str) -> dict[str, str]:
    """The environment of the services: the run's settings and addresses, and of this machine's what they need alone.

    A database that the user names is reached in the user's way.
    """
    kind = PYTHON.also(*plugins.leading_to(settings.strategy, *settings.read_models))
    kind = kind if settings.database_url is None else kind.also(*GIVEN_DATABASE)
    told = {name: value for name, value in settings.environment().items() if name not in NOT_THEIRS}
    if settings.database_url is None:
        told.pop("LISTEN_URL", None)
    return kind.environment({**told, **addresses})


def require_modules(settings: Settings) -> None:
    """Let a projector's process judge a stranger's strategy and read models. Raises SetupError that names the setting.

    They are modules that a projector knows and the bench does not, so a process of the former loads them. Those that
    come with us are known to be fine.
    """
    if not plugins.leading_to(settings.strategy, *settings.read_models):
        return
    command = [sys.executable, "-m", "services.projector.check"]
    try:
        done = ask(command, environment(settings), within_s=CHECK_S, cwd=ROOT)
    except NoAnswer as error:
        raise SetupError("STRATEGY, READ_MODELS", str(error), "import nothing slow there") from None
    if done.returncode:
        # A module may print when it is imported; the refusal is what was said last.
        said = done.stderr.strip().splitlines() or [f"the check ended with exit code {done.returncode}"]
        raise SetupError("projector", said[-1], "correct that setting, or the module")


def reach(url: str, *, source: str, profile: str) -> Postgres:
    """Version and settings of the server at `url`. Raises SetupError when it can not be reached."""
    try:
        return run(description.postgres(url, source=source, profile=profile))
    except (OSError, asyncpg.PostgresError, *CLIENT_ERRORS, TimeoutError, ValueError) as error:
        reason = hide(str(error), url) or type(error).__name__
        acting = f"; {', '.join(names)} of the environment acted" if (names := ambient(url)) else ""
        raise SetupError(
            "DATABASE_URL",
            f"{hide(url, url)} can not be reached ({reason}{acting})",
            "start that server, correct the address, or unset it for an embedded Postgres",
        ) from None


def answers(url: str) -> bool:
    """True when the server at `url` takes a connection."""

    async def ask() -> None:
        await (await connect(url)).close()

    try:
        run(ask())
    except (OSError, asyncpg.PostgresError, *CLIENT_ERRORS, TimeoutError):
        return False
    return True


def examined(settings: Settings, urls: Sequence[str], progress: Progress) -> Doctor:
    """Examine the database of each shard before anything is measured. Raises SetupError where the mode is not sound."""
    progress.step("examining the database")
    found = examine(environment(settings, **addresses(urls)))
    if why := found.why_not(settings.strategy):
        raise SetupError("DATABASE_URL", why, "`task doctor` shows all that it depends on")
    for warning in found.warnings:
        progress.step(f"note: {warning}")
    return found


def examined_as_reader(settings: Settings, *urls: str) -> Doctor:
    """The same for a system that runs already, at addresses that may be a reader's: nothing is refused."""
    return examine(environment(settings, **addresses(urls)), "--reader")


def capabilities(settings: Settings) -> dict[str, str]:
    """The variable that says what the target offers: nothing else is asked of it."""
    setting = TARGET_CAPABILITIES
    return {setting.name: setting.spell(settings.target.capabilities)}


def start_loadgen(processes: Processes, settings: Settings, base_url: str, folder: Path) -> Process:
    """Start the load generator on this machine, against `base_url`; it leaves its files in `folder`."""
    told = {"BASE_URL": base_url, "RESULTS_DIR": str(folder), "RUN_ID": folder.name, **capabilities(settings)}
    env = PYTHON.environment({**settings.environment(), **told})
    return processes.start("loadgen", ["-m", "services.loadgen"], env)
