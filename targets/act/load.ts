/** The loads of `task perf`: `append many|hot SECONDS`, `rebuild EVENTS`. Prints one JSON document as its last line. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import { act, store } from '@rotorsoft/act';
import { batched } from './projections/batched.ts';
import { open } from './storage/stores.ts';
import { Todo } from './todo.ts';

const WRITERS = 64;
const STREAMS = 1000;
const EACH = 10;
const BATCH = 1000;
const ACTOR = { id: 'benchmark', name: 'benchmark' };
const text = 'buy milk, bread and a newspaper';

/** One event an action, expecting the version that act loaded; a writer takes a stream that nobody else is writing. */
async function append(load: string, seconds: number) {
  const [writers, streams] = load === 'many' ? [WRITERS, STREAMS] : [1, 1];
  const app = act().withState(Todo).build();
  const idle = Array.from({ length: streams }, (_, n) => `todo-${n}`);
  for (const stream of idle) await app.do('createTodo', { stream, actor: ACTOR }, { text });
  let count = 0;
  let stopping = false;
  const write = async () => {
    while (!stopping) {
      const stream = idle.shift() as string;
      await app.do('updateTodo', { stream, actor: ACTOR }, { text });
      idle.push(stream);
      count += 1;
      // The client of SQLite answers at once, so timers would never have their turn.
      await turn();
    }
  };
  const running = Array.from({ length: writers }, write);
  await pause(Math.min(1000, seconds * 250));
  const [started, before] = [performance.now(), count];
  await pause(seconds * 1000);
  const found = { events_per_s: ((count - before) / (performance.now() - started)) * 1000 };
  stopping = true;
  await Promise.all(running);
  return found;
}

/** Project a history of 10 events a stream from its beginning, as act's guide rebuilds: settle with batches of 1,000. */
async function rebuild(events: number, table: Awaited<ReturnType<typeof open>>) {
  const meta = { correlation: 'load', causation: {} };
  const history = [
    { name: 'TodoCreated', data: { text } },
    ...Array.from({ length: EACH - 1 }, () => ({ name: 'TodoUpdated', data: { text } })),
  ];
  for (let n = 0; n < events / EACH; n += 1) await store().commit(`todo-${n}`, history, meta);
  const app = batched(table);
  const started = performance.now();
  app.settle({ eventLimit: BATCH });
  while ((await table.totals()).applied < events) await pause(5);
  return { events_per_s: (events / (performance.now() - started)) * 1000, events };
}

const [load, first, second] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'act-'));
try {
  const table = await open({ STORE: 'sqlite', ...process.env, DATA: folder });
  const found = load === 'append' ? await append(first, Number(second)) : await rebuild(Number(first), table);
  await table.close();
  await store().dispose();
  console.log(JSON.stringify(found));
} finally {
  await rm(folder, { recursive: true });
}
process.exit();
