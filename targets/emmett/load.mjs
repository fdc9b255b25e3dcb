// The loads of `task perf`: `append many|hot SECONDS`, `rebuild EVENTS`. Prints one JSON document as its last line.
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROCESSOR, connectionString, todosProjection } from './store.mjs';

const WRITERS = 64;
const STREAMS = 1000;
const EACH = 10;
const BATCH = 1000;
const text = 'buy milk, bread and a newspaper';

const updated = () => ({ type: 'TodoUpdated', data: { text } });

/** One event an append, each with its expected version; a writer takes a stream that nobody else is writing. */
async function append(load, seconds) {
  const [writers, streams] = load === 'many' ? [WRITERS, STREAMS] : [1, 1];
  const store = getPostgreSQLEventStore(connectionString);
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
  await sleep(Math.min(1000, seconds * 250));
  counting = true;
  const started = performance.now();
  await sleep(seconds * 1000);
  counting = false;
  const elapsed = (performance.now() - started) / 1000;
  stopping = true;
  await Promise.all(running);
  await store.close();
  return { events_per_s: count / elapsed };
}

/** Project a history of 10 events a stream from its beginning. */
async function rebuild(events) {
  const store = getPostgreSQLEventStore(connectionString);
  await store.schema.migrate();
  for (let n = 0; n < events / EACH; n += 1) {
    const history = [{ type: 'TodoCreated', data: { text } }, ...Array.from({ length: EACH - 1 }, updated)];
    await store.appendToStream(`todo-${n}`, history);
  }
  const consumer = store.consumer({ stopWhen: { noMessagesLeft: true }, pulling: { batchSize: BATCH } });
  consumer.projector({ processorId: PROCESSOR, projection: todosProjection, startFrom: 'BEGINNING' });
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
