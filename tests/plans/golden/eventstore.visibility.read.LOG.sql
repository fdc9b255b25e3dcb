SELECT events.position, events.stream, events.version, events.type, events.data, events.recorded_at 
FROM events 
WHERE events.position > $1::BIGINT AND events.position <= $2::BIGINT ORDER BY events.position 
 LIMIT $3::INTEGER
