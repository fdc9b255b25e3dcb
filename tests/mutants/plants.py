"""Parts to plant in the projector's statement: bugs that real projections have or had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settings.catalogue.projection import Strategy

OVERWRITE: Final = """
inserted AS (
  INSERT INTO todos AS t (id, text, created_at, updated_at, version, deleted, applied)
  SELECT stream, text, coalesce(created_at, updated_at), updated_at, last, deleted, events FROM clean
  ON CONFLICT (id) DO UPDATE
     SET text = excluded.text, updated_at = excluded.updated_at, version = excluded.version, deleted = excluded.deleted,
         applied = t.applied + excluded.applied
  RETURNING id, xmax = 0 AS fresh
),
applied AS (
  SELECT id AS stream FROM inserted
),
todos_tallied AS (
  INSERT INTO todo_tallies (slot, todos, active)
  SELECT :slot ::smallint, count(*), count(*) FROM inserted WHERE fresh HAVING count(*) > 0
  ON CONFLICT (slot) DO UPDATE
     SET todos = todo_tallies.todos + excluded.todos, active = todo_tallies.active + excluded.active
)
"""
"""An effect that does not look at the row's version. For histories without deletion."""

NO_EFFECT: Final = "applied AS (SELECT stream FROM clean)"
"""The checkpoint moves, and nothing else happens."""

NO_FENCE: Final[Mapping[Strategy, Mapping[str, str]]] = {
    "global-order": {"fence": "(c.epoch = :epoch OR true)"},
    "stream-leases": {"fence": "true"},
    "stream-locks": {"fence": "true"},
}
"""A statement that does not ask whose lease it is; by locks, one that does not ask whether anything is pending."""

NO_GUARD: Final[Mapping[Strategy, Mapping[str, str]]] = {
    "global-order": {"guard": "true", "effect": OVERWRITE, "fresh": "true", "beyond": "position > 0"},
    "stream-leases": {"guard": "true", "effect": OVERWRITE, "unseen": "e.version > 0"},
    "stream-locks": {"guard": "true", "effect": OVERWRITE, "unseen": "e.version > 0"},
}
"""A projector that claimed before the first event: it applies what follows that place, whatever the checkpoint says by
now. So do handlers that work on what they had in memory."""
