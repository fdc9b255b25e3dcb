"""`python -m services.loadgen.worker`: a Locust worker for the master at LOADGEN_MASTER; ends with its run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from settings import Environment, SettingError
from settings.catalogue.load import LOADGEN_MASTER
from settings.children import LOCUST, LOCUST_FOLDER

LOCUSTFILE = Path(__file__).with_name("locustfile.py")


def command(master: str) -> list[str]:
    """Locust as a worker of the master at `host:port`. Raises SettingError."""
    host, _, port = LOADGEN_MASTER.read(Environment({LOADGEN_MASTER.name: master})).rpartition(":")
    locust = [sys.executable, "-P", "-m", "locust", "-f", str(LOCUSTFILE), "--worker", "--skip-log-setup"]
    return [*locust, "--master-host", host, "--master-port", port]


def main() -> int:
    """Become the worker."""
    try:
        line = command(LOADGEN_MASTER.read(Environment(os.environ)))
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    os.chdir(LOCUST_FOLDER)
    os.execve(line[0], line, LOCUST.environment())


if __name__ == "__main__":
    sys.exit(main())
