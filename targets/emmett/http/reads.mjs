// Reads by SQL: the rows of the projection, the log, and the counts.
import { setTimeout as sleep } from 'node:timers/promises';
import { PROCESSOR, inline } from '../store.mjs';

const ONE = 'SELECT id, text, version, applied FROM todos WHERE id = $1 AND NOT deleted';
const PAGE = 'SELECT id, text, version, applied FROM todos WHERE NOT deleted AND id > $1 ORDER BY id LIMIT $2';

// Emmett's `readMessagesBatch` walks by transaction and takes a position for its cursor, so a page of it can pass a
// message over. Its table is read in the order of positions, up to the last one that was drawn when the question came,
// once every transaction that was under way then has ended: an append is given its transaction before its position.
const DRAWN = 'SELECT last_value AS position, pg_current_xact_id()::text AS own FROM emt_global_message_position';
const ENDED = 'SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 AS ended';
const EVENTS = `
  SELECT global_position, stream_id, stream_position, message_type, message_data ->> 'text' AS text, created
  FROM emt_messages WHERE NOT is_archived AND global_position > $1 AND global_position <= $2
  ORDER BY global_position LIMIT $3`;
const LOOK_MS = 5;
const WITHIN_MS = 5000;

// Positions have gaps, so events and effects are counted, in one statement, so one snapshot. `lag` is what an operator
// sees of Emmett itself: the last position without that of its processor's checkpoint, which is told as text.
const COUNTS = `
  SELECT events.count AS events, todos.applied, todos.total, todos.active,
         greatest(0, events.last - coalesce(checkpoint.at, 0)) AS lag
  FROM (SELECT count(*), coalesce(max(global_position), 0) AS last FROM emt_messages WHERE NOT is_archived) AS events,
       (SELECT count(*) AS total, count(*) FILTER (WHERE NOT deleted) AS active, coalesce(sum(applied), 0) AS applied
        FROM todos) AS todos,
       (SELECT max(last_processed_checkpoint)::bigint AS at FROM emt_processors WHERE processor_id = $1) AS checkpoint`;

/** The store has not answered in time; it may be asked again. */
export class Busy extends Error {}

const document = ({ id, text, version, applied }) => ({
  id,
  text,
  version: Number(version),
  applied: Number(applied),
});

export async function get(pool, id) {
  const { rows } = await pool.query(ONE, [id]);
  return rows.length > 0 ? document(rows[0]) : undefined;
}

export async function page(pool, after, limit) {
  const { rows } = await pool.query(PAGE, [after, limit]);
  return { todos: rows.map(document), next: rows.length === limit ? rows[limit - 1].id : null };
}

export async function events(pool, after, limit) {
  const last = await settled(pool);
  const { rows } = await pool.query(EVENTS, [after, last, limit]);
  const found = rows.map((row) => ({
    position: Number(row.global_position),
    stream: row.stream_id,
    version: Number(row.stream_position),
    type: row.message_type,
    data: row.text === null ? {} : { text: row.text },
    recordedAt: row.created.toISOString(),
  }));
  return { events: found, next: found.length === limit ? found[limit - 1].position : null };
}

/** A position behind which nothing can be committed any more. */
async function settled(pool) {
  const { rows } = await pool.query(DRAWN);
  for (let waited = 0; waited < WITHIN_MS; waited += LOOK_MS) {
    if ((await pool.query(ENDED, [rows[0].own])).rows[0].ended) return rows[0].position;
    await sleep(LOOK_MS);
  }
  throw new Busy('a transaction has been under way for too long');
}

export async function stats(pool) {
  const { rows } = await pool.query(COUNTS, [PROCESSOR]);
  const [events, applied] = [Number(rows[0].events), Number(rows[0].applied)];
  return {
    eventCount: events,
    totalEventsProjected: applied,
    totalTodos: Number(rows[0].total),
    activeTodos: Number(rows[0].active),
    backlog: Math.max(0, events - applied),
    ...(inline ? {} : { eventIdLag: Number(rows[0].lag) }),
  };
}
