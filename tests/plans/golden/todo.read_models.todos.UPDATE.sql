UPDATE todos SET text = $1, updated_at = $2 ::timestamptz, version = $3 ::int, applied = applied + 1
 WHERE id = $4 AND CASE WHEN NOT deleted THEN version END = $3 - 1
RETURNING id
