"""A foreign session: a synchronous connection as the database's owner, named so, bounded, and closed by who opened it.

Its own time limits are its own affair, whatever a DBA has set for the database meanwhile.
"""

from __future__ import annotations

from typing import Any, Final

from bench.ends.errors import RunFailed
from bench.oracle.connection import ERRORS, OpenConnection
from bench.platforms.platform import System
from bench.trial.fault import NotApplicable

NAME: Final = "tidemark fault"
"""As `pg_stat_activity` calls it."""
ANSWER_S: Final = 5.0
"""A statement is given up after it, by the server, too."""

OURS: Final = f"""backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()
   AND NOT starts_with(application_name, 'bench') AND application_name <> '{NAME}'"""
"""Condition on `pg_stat_activity`: a session of the system under test, not of the bench nor of a fault."""

CUT: Final = f"SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity WHERE {OURS}"
"""End all sessions of the system, wait for each end, and count them."""

_SUPERUSER: Final = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
_DBA: Final = """
SELECT rolsuper OR pg_has_role('pg_signal_backend', 'MEMBER')
       AND pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER')
  FROM pg_roles WHERE rolname = current_user
"""


def address(system: System) -> str:
    """Where the database's owner logs in. Raises NotApplicable where the target has no Postgres within reach."""
    if system.logins is None:
        raise NotApplicable("DATABASE_URL", "the target has no Postgres that can be reached", "choose another fault")
    return system.logins.owner


def session(system: System, *, within_s: float = ANSWER_S, **settings: str) -> OpenConnection:
    """Open one, in autocommit. Raises NotApplicable, and `ERRORS` of the driver."""
    return OpenConnection(address(system), name=NAME, within_s=within_s, **{**own(within_s), **settings})


def own(within_s: float) -> dict[str, str]:
    """What such a session has for its own."""
    return {
        "default_transaction_read_only": "off",
        "statement_timeout": f"{within_s:g}s",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }


def asked(system: System, statement: str) -> Any:
    """The first value of a statement, by a session of its own. Raises NotApplicable, RunFailed."""
    try:
        with session(system) as opened:
            return opened.value(statement)
    except ERRORS as error:
        raise RunFailed(f"the database's owner could not be served: {str(error) or type(error).__name__}") from error


def require_dba(system: System, *, superuser: bool = False) -> None:
    """Make sure that the login may alter the database and end its sessions. Raises NotApplicable, RunFailed."""
    if not asked(system, _SUPERUSER if superuser else _DBA):
        lack = "is no superuser" if superuser else "may not alter the database and end the sessions of others"
        remedy = "give the address of one that may, or unset BASE_URL and DATABASE_URL for a server of the run's own"
        raise NotApplicable("DATABASE_URL", f"its role {lack}", remedy)


def require_store(system: System) -> None:
    """Make sure that the tables are ours. Raises NotApplicable."""
    if not system.has_store:
        raise NotApplicable("TARGET", "the fault strikes at tables of our own store", "choose another fault")
