"""What Locust loads: `locust -f services/loadgen/locustfile.py --web-host 127.0.0.1`, or started by the supervisor.

The scenario comes from the environment (see `settings`). By hand, the number of users is the one given to Locust; the
verdict is then in Locust's log. With workers (LOADGEN_WORKERS, or Locust's own --master and --worker) the master keeps
the books of all that their users do.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import gevent
from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

# Locust puts this folder first on the path, where its module `settings` would hide the project's package.
sys.path.insert(0, str(Path(__file__).parents[2]))

from services.loadgen.distributed.master import Crew
from services.loadgen.distributed.supervisor_link import Link
from services.loadgen.distributed.worker_run import Hands
from services.loadgen.judge.ledger import Counts
from services.loadgen.measure.sampler import Sampler
from services.loadgen.settings import Settings
from services.loadgen.workload.greenlets import failure, start
from services.loadgen.workload.phases import Conductor
from services.loadgen.workload.plan import plan
from services.loadgen.workload.readiness import NotQuiet, NotReady, take_baseline
from services.loadgen.workload.run import Run
from services.loadgen.workload.users import TodoUser
from settings import SettingError

sys.path.pop(0)

__all__ = ["TodoUser"]

BASELINE = "LOADGEN_BASELINE"
PROBE = "LOADGEN_PROBE"
END_WITHIN_S = 5.0
CREW: list[Crew] = []
HANDS: list[Hands] = []

log = logging.getLogger(__name__)

try:
    SETTINGS = Settings.from_env(os.environ)
except SettingError as bad:
    sys.exit(str(bad))

TodoUser.host = SETTINGS.base_url


if SETTINGS.scenario.staged:

    class Stages(LoadTestShape):
        """As many users as the phase wants."""

        def tick(self) -> tuple[int, float]:
            """The wanted number of users, to be reached within a second."""
            run: Run | None = getattr(TodoUser, "run_now", None)
            phase = run.phase if run is not None else plan(SETTINGS)[0]
            users = max(1, round(SETTINGS.users * phase.users))
            return users, users


@events.init.add_listener  # type: ignore[untyped-decorator]
def connect(environment: Environment, **_: Any) -> None:
    """Master and workers hear each other; what is said belongs to the run that is under way."""
    runner = environment.runner
    if isinstance(runner, MasterRunner):
        runner.register_message("book", lambda msg, **_: CREW[-1].take(msg.node_id, msg.data) if CREW else None)
        runner.register_message("failed", lambda msg, **_: TodoUser.run_now.halt(msg.data["why"]))
    elif isinstance(runner, WorkerRunner):
        runner.register_message("begin", lambda msg, **_: work(runner, msg.data))
        runner.register_message("phase", lambda msg, **_: HANDS[-1].enter(msg.data["step"]))


@events.user_error.add_listener  # type: ignore[untyped-decorator]
def fail(exception: Exception, tb: Any, **_: Any) -> None:
    """A user that fails does not load the server any more as the scenario says: the run ends with its error."""
    why = failure("a user", exception, (type(exception), exception, tb))
    (HANDS[-1] if HANDS else TodoUser.run_now).halt(why)


def work(runner: WorkerRunner, told: dict[str, Any]) -> None:
    """A worker's run begins."""
    HANDS.append(Hands(runner, told))
    TodoUser.run_now = HANDS[-1].run


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def begin(environment: Environment, **_: Any) -> None:
    """Set up a run of its own for every start of a test, and conduct it. A worker is told to begin by its master."""
    if isinstance(environment.runner, WorkerRunner):
        return
    supervised = BASELINE in os.environ
    try:
        baseline = Counts(**json.loads(os.environ[BASELINE])) if supervised else take_baseline(SETTINGS.base_url).counts
    except (NotReady, NotQuiet) as refusal:
        log.error("%s", refusal)
        gevent.spawn(_end, environment)
        return
    run = TodoUser.run_now = Run(SETTINGS, baseline)
    link = Link(run, supervised=supervised, probed=bool(os.environ.get(PROBE)))

    def users() -> int:
        return environment.runner.user_count if environment.runner else 0

    if isinstance(environment.runner, MasterRunner):
        CREW.append(Crew(environment.runner, run))
        CREW[-1].begin()
    sampler = Sampler(run, users, lambda sample: link.send("sample", **sample))
    start(run, "the conductor", Conductor(run, link, lambda: _end(environment)).perform)
    start(run, "the sampler", sampler.poll)
    start(run, "the sampler", sampler.report)
    start(run, "the clock", run.vitals.keep_time, lambda: run.phase.measured)


@events.test_stopping.add_listener  # type: ignore[untyped-decorator]
def halt(**_: Any) -> None:
    """A test that is stopped from outside still gets its result out."""
    if HANDS:
        HANDS[-1].over()
        return
    run: Run | None = getattr(TodoUser, "run_now", None)
    if run is not None:
        run.halt("Locust was stopped")
        run.over.wait(END_WITHIN_S)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def leave(environment: Environment, **_: Any) -> None:
    """The verdict is in the result, not in Locust's exit code."""
    environment.process_exit_code = 0


def _end(environment: Environment) -> None:
    runner = environment.runner
    if runner is None:
        return
    if environment.parsed_options is not None and environment.parsed_options.headless:
        runner.quit()
    else:
        runner.stop()
