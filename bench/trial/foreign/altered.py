"""Settings that a DBA gives a database by ALTER DATABASE, so that they hold for sessions that begin afterwards.

All sessions of the system are cut, so that they take effect; and again when they are taken back. What the database had
of its own before is given back, also by the guardian, should the bench die meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bench.ends.guardian import Guardian
from bench.oracle.connection import OpenConnection
from bench.platforms.platform import System
from bench.trial.foreign.session import CUT, address, session
from settings.catalogue.database import DATABASE_URL
from settings.children import GIVEN_DATABASE, PYTHON

SET: Final = "SELECT format('ALTER DATABASE %I SET %I TO %L', current_database(), $1::text, $2::text)"
RESET: Final = "SELECT format('ALTER DATABASE %I RESET %I', current_database(), $1::text)"
BEFORE: Final = """
SELECT substr(said, length($1::text) + 2)
  FROM pg_db_role_setting, unnest(setconfig) AS said
 WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND starts_with(said, $1::text || '=')
"""


@contextmanager
def altered(system: System, dba: OpenConnection, settings: Mapping[str, str]) -> Iterator[None]:
    """Until the block ends, the database has these settings. Raises the driver's errors."""
    back = [_back(dba, name) for name in settings]
    undo = [sys.executable, "-m", "bench.trial.foreign.undo", *back]
    environment = {**PYTHON.also(*GIVEN_DATABASE).environment(), DATABASE_URL.name: address(system)}
    with Guardian() as guardian:
        guardian.run(undo, environment)
        try:
            for name, value in settings.items():
                dba.execute(dba.value(SET, name, value))
            dba.execute(CUT)
            yield
        finally:
            # By a session of its own: the other may be lost by now.
            with session(system) as last:
                for statement in back:
                    last.execute(statement)
                last.execute(CUT)
            guardian.spare(undo)


def _back(dba: OpenConnection, name: str) -> str:
    """The statement that gives the database back what it had."""
    before = dba.value(BEFORE, name)
    statement: str = dba.value(RESET, name) if before is None else dba.value(SET, name, before)
    return statement
