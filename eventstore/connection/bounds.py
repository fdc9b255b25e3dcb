"""Time limits of a client of Postgres: for a statement, for connecting, for a connection that has fallen silent.

Whoever asks gets an answer or an error within them, whatever becomes of the packets (ADR 0019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from settings import UNSET, Environment
from settings.catalogue import database


@dataclass(frozen=True, slots=True)
class Bounds:
    """In seconds: `statement` limits a statement, and waiting for a connection; `connect` opening one, log-in included.

    After `silence` without a sign of the other machine the kernel gives a connection up, also one whose statement may
    take longer.
    """

    statement: float = database.STORE_TIMEOUT_MS.read(UNSET) / 1000
    connect: float = database.STORE_CONNECT_TIMEOUT_MS.read(UNSET) / 1000
    silence: float = database.STORE_TIMEOUT_MS.read(UNSET) / 1000

    @classmethod
    def from_env(cls, env: Environment) -> Self:
        """Read STORE_TIMEOUT_MS and STORE_CONNECT_TIMEOUT_MS. Raises SettingError."""
        statement = database.STORE_TIMEOUT_MS.read(env) / 1000
        return cls(statement=statement, connect=database.STORE_CONNECT_TIMEOUT_MS.read(env) / 1000, silence=statement)


BOUNDS: Final = Bounds()
"""The defaults."""
