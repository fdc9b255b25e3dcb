"""Privileges on the read model by process: see `eventstore.soundness.rights`."""

from __future__ import annotations

from typing import Final

from eventstore.soundness.rights import Rights

READ: Final[Rights] = {"todos": "SELECT", "todo_tallies": "SELECT"}
PROJECT: Final[Rights] = {"todos": "SELECT, INSERT, UPDATE", "todo_tallies": "SELECT, INSERT, UPDATE"}
