"""One run, from nothing to a result bundle: the system, the load generator, the oracle, the report."""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bench import ROOT
from bench.bundle.folder import Bundle
from bench.bundle.samples import Samples
from bench.ends import signals
from bench.ends.conclude import FAILED, SOUND, Defect
from bench.ends.errors import RunFailed, SetupError
from bench.ends.signals import Interrupted
from bench.oracle import database
from bench.platforms.choice import running_system
from bench.platforms.platform import System
from bench.platforms.processes import Process, describe, tail
from bench.preflight import description
from bench.preflight.settings import Settings
from bench.report import report
from bench.report.observer import FILE, Observer
from bench.report.progress import Progress
from bench.trial import proof
from bench.trial.contract import require_contract, require_durability
from bench.trial.fault import Plan, relayed
from bench.trial.hold import Hold
from bench.trial.injection.inject import Injection
from bench.trial.resources.beside import Beside, Found
from bench.trial.result import leave_surroundings, merge, void
from bench.trial.waterfall import measure as waterfall
from bench.trial.waterfall.clock import of_any, offsets
from bench.trial.waterfall.last_commit import until_commit
from metrics.records.result import Result

POLL_S: Final = 0.1
GRACE_S: Final = 120.0
JUDGED: Final = (0, 1)


@dataclass(frozen=True)
class Trial:
    """What is run: the settings, where the bundle goes, an optional fault, and the number within a comparison."""

    settings: Settings
    results: Path
    fault: Plan | None = None
    number: int = 1


@dataclass
class Where:
    """The platform of a run, empty until there is one."""

    platform: str = ""


@dataclass(frozen=True)
class Interventions:
    """What is done to the system while the load generator runs."""

    injection: Injection | None
    hold: Hold | None

    def tick(self, load_since: float | None) -> None:
        """Take the next step of each."""
        if self.injection is not None:
            self.injection.tick(time.time(), load_since)
        if self.hold is not None:
            self.hold.tick()


@dataclass(frozen=True)
class Ended:
    """A run that has ended, with its bundle. `cause` is set when it was broken off, and is to be raised once told."""

    result: Result
    bundle: Bundle
    cause: Interrupted | Defect | None = None

    @property
    def code(self) -> int:
        """The exit code of a run that was not broken off."""
        return SOUND if self.result.sound and not self.bundle.missing else FAILED

    def tell(self) -> None:
        """Raise what broke the run off, now that its summary was shown; or a signal that came meanwhile."""
        if isinstance(self.cause, Defect):
            self.cause.told = True
        if self.cause is not None:
            raise self.cause
        signals.check()


def run(trial: Trial, progress: Progress) -> Ended:
    """Run once and leave a bundle, whatever happens; nothing is left running.

    A failing part makes the verdict `invalid`, as does an interruption or a defect. Raises SetupError (and leaves no
    bundle) where the run can not begin.
    """
    bundle = Bundle.create(trial.results, trial.settings.scenario.name, trial.settings.mode)
    observer = Observer(bundle, trial.settings)
    where = Where()
    cause: Interrupted | Defect | None = None
    try:
        result = _measure(trial, bundle, observer, where, progress)
    except RunFailed as failure:
        bundle.keep(bundle.log / "failure.txt", f"{failure}\n{failure.tail}\n")
        result = void(bundle.run_id, trial.settings, f"{failure}\n{failure.tail}".strip(), trial=trial.number)
    except SetupError:
        shutil.rmtree(bundle.folder)
        raise
    except (Interrupted, Exception) as error:
        cause = signals.take(error) if isinstance(error, Interrupted) else Defect.of(error, bundle.log)
        result = void(bundle.run_id, trial.settings, str(cause), trial=trial.number)
    result = replace(result, platform=where.platform)
    with signals.held():
        with bundle.noting(FILE):
            observer.end(result)
        _finish(bundle, result)
    return Ended(result, bundle, cause)


def _measure(trial: Trial, bundle: Bundle, observer: Observer, where: Where, progress: Progress) -> Result:
    settings = trial.settings
    bundle.write("machine.json", description.machine())
    bundle.write("versions.json", description.versions(ROOT))
    bundle.keep(bundle.folder / "scenario.toml", settings.scenario.text)
    with running_system(settings, bundle.log, progress, relayed=relayed(trial.fault)) as running:
        where.platform = running.platform.name
        leave_surroundings(running, bundle)
        observer.begin(running.influx, progress)
        system, warnings = require_contract(running, bundle, progress)
        clocks = database.run(offsets(system.store_urls))
        require_durability(system)
        complete, beside = _drive(trial, system, bundle, progress)
        require_durability(system)
        loadgen = bundle.read("loadgen.json")
        bundle.missing.update(loadgen.get("missing", {}))
        ended = proof.Ended(system, bundle, loadgen, complete=complete, ahead_s=of_any(clocks).ahead_s)
        verification = proof.prove(ended, progress)
        observed = waterfall.observe(system.store_urls, bundle.folder, clocks)
        system.processes.check()
    result = merge(bundle.run_id, system.settings, loadgen, verification, trial=trial.number)
    # The projectors have ended, and written when they did what.
    stages = waterfall.tell(observed, system.settings, bundle)
    caught_up = result.convergence
    if system.has_store and loadgen["verdict"] == "converged":
        clock = of_any(observed.clocks)
        caught_up = until_commit(caught_up, loadgen.get("last_projected_at"), clock, bundle.log)
    warnings += system.doctor.warnings if system.doctor else []
    return replace(beside.added_to(result), warnings=warnings, waterfall_ms=stages, convergence=caught_up)


def _drive(trial: Trial, system: System, bundle: Bundle, progress: Progress) -> tuple[bool, Found]:
    """Run the load generator to its end, with hold and fault beside it; True where nothing is left to project.

    And what was seen beside it.

    Under a fault the load generator may give up; the system is then waited for all the same.
    """
    with ExitStack() as healing:
        beside = healing.enter_context(Beside(system, bundle))
        hold = Hold(system, bundle.folder) if trial.settings.hold_s else None
        if hold is not None:
            healing.callback(hold.close)
        injection = Injection(trial.fault, system) if trial.fault else None
        if injection is not None:
            healing.callback(injection.close)
        progress.step("starting the load generator")
        loadgen = system.platform.start_loadgen(bundle.folder)
        loadgen.expendable = True
        _watch(loadgen, trial.settings, system, bundle, progress, Interventions(injection, hold), beside)
        beside.end()
        _judge_exit(loadgen, bundle)
        told = bundle.read("loadgen.json")
        if injection is None:
            return told["verdict"] == "converged", beside.found(told)
        injection.close()
        back = told["verdict"] == "converged"
        if told["verdict"] == "invalid":
            progress.step("waiting until nothing is left to project")
            back = injection.settle(trial.settings.convergence_max_s)
        if (injected := injection.end(told)) is not None:
            bundle.write("fault.json", injected.to_dict())
        return bool(back), beside.found(told)


def _watch(
    loadgen: Process,
    settings: Settings,
    system: System,
    bundle: Bundle,
    progress: Progress,
    interventions: Interventions,
    beside: Beside,
) -> None:
    """Follow the samples until the load generator ends. Raises RunFailed when a part of the system ends before it."""
    samples = Samples(bundle.folder / "samples.jsonl")
    load_since: float | None = None
    deadline = time.monotonic() + settings.timed_s + settings.convergence_max_s + GRACE_S
    while loadgen.running:
        new = samples.new()
        progress.samples(new)
        beside.look(new)
        load_since = load_since or _load_began(new)
        interventions.tick(load_since)
        system.processes.check()
        if time.monotonic() > deadline:
            raise RunFailed("the load generator did not end in time", tail(loadgen.log))
        time.sleep(POLL_S)
    progress.samples(samples.new())


def _load_began(samples: list[dict[str, Any]]) -> float | None:
    return next((s["t"] for s in samples if s["phase"] == "load"), None)


def _judge_exit(loadgen: Process, bundle: Bundle) -> None:
    code = loadgen.popen.returncode
    if code == 2:
        raise SetupError("loadgen", tail(loadgen.log, 1), "correct that setting")
    if code not in JUDGED or bundle.read("loadgen.json") is None:
        raise RunFailed(f"the load generator ended with {describe(code)} and left no judgment", tail(loadgen.log))


def _finish(bundle: Bundle, result: Result) -> None:
    bundle.use_room()
    bundle.write("result.json", result.to_dict())
    with bundle.noting("report.html"):
        bundle.keep(bundle.folder / "report.html", report.render(bundle.folder))
    bundle.close()
