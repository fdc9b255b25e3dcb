// Make the tables of the event store and of the projection.
import { dumbo } from '@event-driven-io/dumbo';
import { connectionString, openPool, openStore, todosProjection } from './store.mjs';

const pool = openPool();
await openStore(pool).schema.migrate();
const database = dumbo({ connectionString, pool });
await database.withTransaction((transaction) =>
  todosProjection.init({
    version: 1,
    status: 'active',
    registrationType: 'async',
    context: { execute: transaction.execute },
  }),
);
await pool.end();
