UPDATE projectors SET seen_at = clock_timestamp(), alive_until = clock_timestamp() + $1 ::interval
 WHERE holder = $2
