// The event store, its connections, and the projection of todos, inline or by a projector of its own.
import { SQL } from '@event-driven-io/dumbo';
import { projections } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore, postgreSQLRawSQLProjection } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

export const connectionString = process.env.DATABASE_URL;
export const inline = process.env.PROJECTION === 'inline';
export const PROCESSOR = 'todos';

/** What handling one event is made to take, for experiments with slow handlers. */
const LATENCY_MS = Number(process.env.HANDLER_LATENCY_MS ?? 0);

/** The store parses JSON strings that look like a date or a large number, so a text may arrive as such a value. */
const plain = (value) => (value instanceof Date ? value.toISOString() : String(value));

/** One row a todo, deleted or not; `applied` counts the events that took effect in it. */
export const todosProjection = postgreSQLRawSQLProjection({
  name: 'todos',
  canHandle: ['TodoCreated', 'TodoUpdated', 'TodoDeleted'],
  init: () => SQL`CREATE TABLE IF NOT EXISTS todos (
    id text COLLATE "C" PRIMARY KEY, text text NOT NULL, version bigint NOT NULL, applied bigint NOT NULL,
    deleted boolean NOT NULL)`,
  evolve: async (event) => {
    if (LATENCY_MS > 0) await sleep(LATENCY_MS);
    const { streamName, streamPosition } = event.metadata;
    const version = String(streamPosition);
    if (event.type === 'TodoDeleted')
      return SQL`UPDATE todos SET deleted = true, version = ${version}, applied = applied + 1 WHERE id = ${streamName}`;
    // One upsert for both, as the documentation's projections have it: what is known of a todo is what came last.
    return SQL`INSERT INTO todos VALUES (${streamName}, ${plain(event.data.text)}, ${version}, 1, false)
      ON CONFLICT (id) DO UPDATE
      SET text = excluded.text, version = excluded.version, applied = todos.applied + 1`;
  },
});

export function openPool() {
  const pool = new pg.Pool({ connectionString });
  // Without a listener, an idle connection that the server closes would end the process.
  pool.on('error', (error) => console.log(`a connection was lost: ${error.message}`));
  return pool;
}

export const openStore = (pool) =>
  getPostgreSQLEventStore(connectionString, {
    connectionOptions: { pool },
    projections: inline ? projections.inline([todosProjection]) : [],
  });

/** The projector of the read model: checkpoint and effect of a batch are one transaction. */
export function addProjector(consumer, pool) {
  const seconds = Number(process.env.LOCK_TIMEOUT_SECONDS ?? 0);
  consumer.projector({
    processorId: PROCESSOR,
    projection: todosProjection,
    connectionOptions: { connectionString, pool },
    ...(seconds > 0 ? { lock: { timeoutSeconds: seconds } } : {}),
  });
}
