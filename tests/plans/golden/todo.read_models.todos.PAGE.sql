SELECT todos.id, todos.text, todos.created_at, todos.updated_at, todos.version, todos.deleted, todos.applied 
FROM todos 
WHERE NOT todos.deleted AND (todos.id COLLATE "POSIX") > $1::VARCHAR ORDER BY todos.id COLLATE "POSIX" 
 LIMIT $2::INTEGER
