UPDATE todos SET text = $1, updated_at = $2 ::timestamptz, version = $3 ::int
 WHERE id = $4 AND version = $3 - 1 AND NOT deleted
RETURNING id
