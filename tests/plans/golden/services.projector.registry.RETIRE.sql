UPDATE projectors SET seen_at = clock_timestamp(), alive_until = clock_timestamp(), leases_held = 0
 WHERE holder = $1
