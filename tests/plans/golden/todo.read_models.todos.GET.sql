SELECT todos.id, todos.text, todos.created_at, todos.updated_at, todos.version, todos.deleted, todos.applied 
FROM todos 
WHERE todos.id = any($1::TEXT[])
