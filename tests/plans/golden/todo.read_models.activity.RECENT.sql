SELECT asked.minute, counted.created, counted.updated, counted.deleted
  FROM generate_series(date_trunc('minute', clock_timestamp(), 'UTC') - ($1 ::int - 1) * interval '1 minute',
                       clock_timestamp(), interval '1 minute') AS asked(minute)
 CROSS JOIN LATERAL (
   SELECT sum(created)::bigint AS created, sum(updated)::bigint AS updated, sum(deleted)::bigint AS deleted
     FROM activity WHERE activity.minute = asked.minute HAVING count(*) > 0
 ) AS counted
 ORDER BY asked.minute
