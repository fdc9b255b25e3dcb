"""Core statements, compiled once for asyncpg."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

_DIALECT: Final = PGDialect_asyncpg()


class Statement:
    """A Core statement compiled once for asyncpg. `sql` is the text that Postgres sees, `names` are its parameters."""

    def __init__(self, core: Executable) -> None:
        compiled = core.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
        self.sql: Final[str] = str(compiled)
        self._names: Final[tuple[str, ...]] = tuple(compiled.positiontup or ())
        self.names: Final[frozenset[str]] = frozenset(self._names)
        self._constants: Final[dict[str, Any]] = {k: v for k, v in compiled.params.items() if v is not None}

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """The values in the order of the text's parameters. Raises KeyError for an unknown name."""
        unknown = values.keys() - self.names
        if unknown:
            raise KeyError(f"the statement has no parameter {sorted(unknown)[0]!r}")
        return [values[name] if name in values else self._constants.get(name) for name in self._names]
