SELECT CAST(coalesce(sum(todo_tallies.todos), $1::INTEGER) AS BIGINT) AS total, CAST(coalesce(sum(todo_tallies.active), $2::INTEGER) AS BIGINT) AS active 
FROM todo_tallies
