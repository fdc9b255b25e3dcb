"""`python -m services.loadgen`: one run. Exit code 0: converged; 1: any other verdict; 2: an unusable setting.

Standard output is for people, a line a second; standard error is the log.
"""

from __future__ import annotations

import asyncio
import os
import sys

import structlog

from services.loadgen.distributed.supervisor import Supervisor
from services.loadgen.judge.convergence import Judgement
from services.loadgen.settings import Settings
from services.loadgen.workload.readiness import NotReady, wait_ready
from services.logs import set_up
from settings import SettingError
from settings.command_line import terminal

log = structlog.get_logger()


async def _run(settings: Settings) -> Judgement:
    return await Supervisor(settings).run()


def main() -> int:
    """Validate, check that the server is there, run, and say the verdict."""
    try:
        settings = Settings.from_env(os.environ)
        wait_ready(settings.base_url)
        settings.results_dir.mkdir(parents=True, exist_ok=True)
    except (SettingError, NotReady) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"RESULTS_DIR={settings.results_dir}: cannot be written to ({error})", file=sys.stderr)
        return 2
    set_up("info", "loadgen")
    log.info("run started", scenario=settings.scenario.name, base_url=settings.base_url, workers=settings.workers)
    try:
        judgement = asyncio.run(_run(settings))
    except OSError as error:
        print(f"RESULTS_DIR={settings.results_dir}: the result can not be written ({error})", file=sys.stderr)
        return 1
    log.info("run ended", verdict=judgement.verdict, why=judgement.why)
    print(f"verdict      {judgement.verdict}" + (f": {judgement.why}" if judgement.why else ""))
    return 0 if judgement.verdict == "converged" else 1


if __name__ == "__main__":
    terminal.forgive()
    sys.exit(main())
