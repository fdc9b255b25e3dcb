WITH recorded AS (
  INSERT INTO kept_read_models (projection, read_models)
  SELECT $1 ::text, $2 ::text[]
   WHERE NOT EXISTS (SELECT FROM kept_read_models WHERE projection = $1)
     AND (SELECT coalesce(sum(projected), 0) FROM tallies) = 0
     AND NOT EXISTS (SELECT FROM cursors WHERE name = $1 AND position > 0)
  ON CONFLICT (projection) DO NOTHING
  RETURNING read_models, becoming
)
SELECT read_models, becoming FROM recorded
 UNION ALL
SELECT read_models, becoming FROM kept_read_models WHERE projection = $1
