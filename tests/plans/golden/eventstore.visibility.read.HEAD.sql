SELECT coalesce(max(events.position), $1::INTEGER) AS position 
FROM events
