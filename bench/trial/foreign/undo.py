"""`python -m bench.trial.foreign.undo STATEMENT …`: run them at DATABASE_URL, as a guardian does for a dead bench."""

from __future__ import annotations

import os
import sys

from bench.oracle.connection import OpenConnection
from bench.trial.foreign.session import ANSWER_S, NAME, own
from settings.catalogue.database import DATABASE_URL


def main() -> None:
    """Run each. Raises the driver's errors."""
    with OpenConnection(os.environ[DATABASE_URL.name], name=NAME, within_s=ANSWER_S, **own(ANSWER_S)) as dba:
        for statement in sys.argv[1:]:
            dba.execute(statement)


if __name__ == "__main__":
    main()
