WITH created AS (
  INSERT INTO todos (id, text, created_at, updated_at, version, deleted, applied)
  VALUES ($1, $2, $3 ::timestamptz, $3 ::timestamptz, 1, false, 1)
)
INSERT INTO todo_tallies (slot, todos, active) VALUES ($4 ::smallint, 1, 1)
ON CONFLICT (slot) DO UPDATE SET todos = todo_tallies.todos + 1, active = todo_tallies.active + 1
