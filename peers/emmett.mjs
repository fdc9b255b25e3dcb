// Emmett's Postgres event store under the loads of `task perf`: `append many|hot SECONDS`, `rebuild EVENTS`.
// Prints one JSON document as its last line.
import { SQL } from '@event-driven-io/dumbo';
import { getPostgreSQLEventStore, postgreSQLRawBatchSQLProjection } from '@event-driven-io/emmett-postgresql';

const WRITERS = 64;
const STREAMS = 1000;
const EACH = 10;
const BATCH = 1000;
const text = 'buy milk, bread and a newspaper';
const url = process.env.DATABASE_URL;

const updated = () => ({ type: 'TodoUpdated', data: { text } });

/** One event an append, each with its expected version; a writer takes a stream that nobody else is writing. */
async function append(load, seconds) {
  const [writers, streams] = load === 'many' ? [WRITERS, STREAMS] : [1, 1];
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  const idle = Array.from({ length: streams }, (_, n) => ({ name: `todo-${n}`, version: undefined }));
  let count = 0;
  let counting = false;
  let stopping = false;
  const write = async () => {
    while (!stopping) {
      const stream = idle.shift();
      const options = stream.version === undefined ? {} : { expectedStreamVersion: stream.version };
      const result = await store.appendToStream(stream.name, [updated()], options);
      stream.version = result.nextExpectedStreamVersion;
      idle.push(stream);
      if (counting) count += 1;
    }
  };
  const running = Array.from({ length: writers }, write);
  await new Promise((resolve) => setTimeout(resolve, Math.min(1000, seconds * 250)));
  counting = true;
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  counting = false;
  const elapsed = (performance.now() - started) / 1000;
  stopping = true;
  await Promise.all(running);
  await store.close();
  return { events_per_s: count / elapsed };
}

/** A table of todos, upserted by one statement a batch, in the transaction of the checkpoint. */
const projection = postgreSQLRawBatchSQLProjection({
  name: 'todos',
  canHandle: ['TodoCreated', 'TodoUpdated'],
  init: () => SQL`CREATE TABLE IF NOT EXISTS todos (id text PRIMARY KEY, text text, version bigint)`,
  evolve: (events) => {
    const last = new Map(events.map((event) => [event.metadata.streamName, event]));
    const rows = JSON.stringify(
      [...last].map(([id, event]) => ({ id, text: event.data.text, version: String(event.metadata.streamPosition) })),
    );
    return [
      SQL`INSERT INTO todos (id, text, version)
          SELECT id, text, version FROM jsonb_to_recordset(${rows}::jsonb) AS r(id text, text text, version bigint)
          ON CONFLICT (id) DO UPDATE SET text = excluded.text, version = excluded.version`,
    ];
  },
});

/** Project a history of 10 events a stream from its beginning. */
async function rebuild(events) {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  for (let n = 0; n < events / EACH; n += 1) {
    const history = [{ type: 'TodoCreated', data: { text } }, ...Array.from({ length: EACH - 1 }, updated)];
    await store.appendToStream(`todo-${n}`, history);
  }
  const consumer = store.consumer({ stopWhen: { noMessagesLeft: true }, pulling: { batchSize: BATCH } });
  consumer.projector({ processorId: 'todos', projection, startFrom: 'BEGINNING' });
  const started = performance.now();
  await consumer.start();
  const elapsed = (performance.now() - started) / 1000;
  await consumer.close();
  await store.close();
  return { events_per_s: events / elapsed, events };
}

const [load, first, second] = process.argv.slice(2);
const found = load === 'append' ? await append(first, Number(second)) : await rebuild(Number(first));
console.log(JSON.stringify(found));
