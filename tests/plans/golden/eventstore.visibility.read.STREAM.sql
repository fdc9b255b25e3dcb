SELECT events.position, events.stream, events.version, events.type, events.data, events.recorded_at 
FROM events 
WHERE events.stream = $1::VARCHAR COLLATE "C" AND events.version > $2::INTEGER ORDER BY events.version 
 LIMIT $3::INTEGER
