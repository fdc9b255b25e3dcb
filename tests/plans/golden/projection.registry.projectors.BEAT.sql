UPDATE projectors
   SET seen_at = clock_timestamp(), alive_until = clock_timestamp() + $1 ::interval, fenced = $2 ::bigint, time_limits = $3 ::bigint, listening = $4 ::bool,
       connections_open = $5 ::int, connections_used = $6 ::int, connections_awaited = $7 ::int
 WHERE holder = $8
