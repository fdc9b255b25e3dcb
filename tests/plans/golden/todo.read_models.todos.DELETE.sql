WITH gone AS (
  UPDATE todos SET deleted = true, updated_at = $1 ::timestamptz, version = $2 ::int, applied = applied + 1
   WHERE id = $3 AND CASE WHEN NOT deleted THEN version END = $2 - 1
  RETURNING id
),
tallied AS (
  INSERT INTO todo_tallies (slot, todos, active) SELECT $4 ::smallint, 0, -1 FROM gone
  ON CONFLICT (slot) DO UPDATE SET active = todo_tallies.active - 1
)
SELECT id FROM gone
