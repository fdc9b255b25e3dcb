INSERT INTO activity (minute, slot, created, updated, deleted)
VALUES (date_trunc('minute', $1 ::timestamptz, 'UTC'), $2 ::smallint,
        $3 ::bigint, $4 ::bigint, $5 ::bigint)
ON CONFLICT (minute, slot) DO UPDATE
   SET created = activity.created + excluded.created, updated = activity.updated + excluded.updated,
       deleted = activity.deleted + excluded.deleted
