UPDATE projectors
   SET seen_at = clock_timestamp(), alive_until = clock_timestamp(), leases_held = 0, fenced = $1 ::bigint, time_limits = $2 ::bigint, listening = $3 ::bool,
       connections_open = $4 ::int, connections_used = $5 ::int, connections_awaited = $6 ::int
 WHERE holder = $7
