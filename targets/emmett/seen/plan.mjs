// What one look of the consumer for nothing new reads: the plan of the store's own statement, over EVENTS events.
//
// `DATABASE_URL=… node seen/plan.mjs [EVENTS]`, in the folder of the install, over a database that nobody else uses.
import { readMessagesBatch } from '@event-driven-io/emmett-postgresql';
import { openPool, openStore } from '../store.mjs';

const EACH = 100;
const events = Number(process.argv[2] ?? 20_000);

const pool = openPool();
const store = openStore(pool);
await store.schema.migrate();
for (let n = 0; n < events / EACH; n += 1) {
  const history = Array.from({ length: EACH }, () => ({ type: 'TodoUpdated', data: { text: 'buy milk' } }));
  await store.appendToStream(`todo-plan-${process.pid}-${n}`, history);
}
await pool.query('ANALYZE');
const { rows } = await pool.query('SELECT max(global_position) AS last FROM emt_messages');
/** In the place of whoever runs the store's statements: asks for the plan of each, and finds nothing. */
const explained = {
  query: async (statement) => {
    const { rows } = await pool.query(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${statement}`);
    for (const row of rows) console.log(row['QUERY PLAN']);
    return { rows: [], rowCount: 0 };
  },
};
await readMessagesBatch(explained, { after: BigInt(rows[0].last), batchSize: 100 });
await pool.end();
