SELECT (
  SELECT extract(epoch FROM min(greatest(leased_until, retry_at, clock_timestamp() + interval '0.25 s'))
                            - clock_timestamp())::float8
    FROM streams
   WHERE pending_since IS NOT NULL AND blocked_at IS NULL
) AS due
