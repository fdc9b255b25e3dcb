"""Locustfile: `locust -f services/loadgen/locustfile.py --web-host 127.0.0.1`, or started by the supervisor.

The scenario comes from the environment (see `settings`). By hand, the number of users is the one given to Locust; the
verdict is then in Locust's log. With workers (LOADGEN_WORKERS, or Locust's own --master and --worker) the master judges
by the journals of all of them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from locust import LoadTestShape, events
from locust.env import Environment

# Locust puts this folder first on the path, where its module `settings` would hide the project's package.
sys.path.insert(0, str(Path(__file__).parents[2]))

from services.loadgen.distributed.locust_process import LocustProcess
from services.loadgen.settings import Settings
from services.loadgen.workload import users
from services.loadgen.workload.plan import plan
from settings import SettingError

sys.path.pop(0)

try:
    SETTINGS = Settings.from_env(os.environ)
except SettingError as bad:
    sys.exit(str(bad))

PROCESS = LocustProcess(SETTINGS)


class TodoUser(users.TodoUser):
    """The user of this run."""

    host = SETTINGS.base_url
    runs = PROCESS


if SETTINGS.scenario.staged:

    class Stages(LoadTestShape):
        """As many users as the phase wants."""

        def tick(self) -> tuple[int, float]:
            """The wanted number of users, to be reached within a second."""
            phase = PROCESS.run.phase if PROCESS.run is not None else plan(SETTINGS)[0]
            count = max(1, round(SETTINGS.users * phase.users))
            return count, count


@events.init.add_listener  # type: ignore[untyped-decorator]
def connect(environment: Environment, **_: Any) -> None:
    """Master and workers hear each other."""
    PROCESS.connect(environment.runner)


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def begin(environment: Environment, **_: Any) -> None:
    """Every start of a test is a run of its own."""
    PROCESS.begin(environment)


@events.user_error.add_listener  # type: ignore[untyped-decorator]
def fail(exception: Exception, tb: Any, **_: Any) -> None:
    """A user that fails does not load the server any more as the scenario says: the run ends with its error."""
    PROCESS.fail("a user", exception, tb)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def stop(**_: Any) -> None:
    """A test that is stopped from outside still gets its result out."""
    PROCESS.stop()


@events.test_stop.add_listener  # type: ignore[untyped-decorator]
def finish(environment: Environment, **_: Any) -> None:
    """No user is left."""
    PROCESS.stopped(environment)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def leave(environment: Environment, **_: Any) -> None:
    """The verdict is in the result, not in Locust's exit code."""
    environment.process_exit_code = 0
