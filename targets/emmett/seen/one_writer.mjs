// One writer alone, and SIGKILL of the projector amid its backlog: does each event take effect once?
//
// `DATABASE_URL=… node seen/one_writer.mjs [REPETITIONS]`, in the folder of the install, over a database of the target
// in which nobody projects. A line a repetition: events in the log, backlog at the kill and at the end, and todos whose
// row is not as it was written, each event once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

const BASE = 'http://127.0.0.1:18764';
const WRITING_MS = 2000;
const WITHIN_MS = 60_000;
const EACH = 10;
const told = { HOST: '127.0.0.1', PORT: '18764', PROJECTION: 'async', LOCK_TIMEOUT_SECONDS: '5' };
const latency = { HANDLER_LATENCY_MS: '10' };

/** A program of the target, in a process group of its own. */
const start = (program) =>
  spawn(process.execPath, [program], { env: { ...process.env, ...told, ...latency }, stdio: 'ignore', detached: true });

async function end(started, signal) {
  const ended = once(started, 'exit');
  process.kill(-started.pid, signal);
  await ended;
}

async function call(method, path, text) {
  const headers = { 'content-type': 'application/json' };
  const body = text === undefined ? undefined : JSON.stringify({ text });
  const answer = await fetch(BASE + path, { method, headers, body });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
  return answer.json();
}

const backlog = async () => (await call('GET', '/stats')).backlog;

/** Todos, one write after another: the last text and version of each, by its id. */
async function write() {
  const written = new Map();
  for (const ends = Date.now() + WRITING_MS; Date.now() < ends; ) {
    const { stream } = await call('POST', '/todos', 'first');
    for (let n = 2; n <= EACH; n += 1) written.set(stream, await call('PUT', `/todos/${stream}`, `text ${n}`));
  }
  return written;
}

const api = start('api.mjs');
while (!(await fetch(`${BASE}/readyz`).then(({ ok }) => ok, () => false))) await pause(50);
for (let repetition = 1; repetition <= Number(process.argv[2] ?? 5); repetition += 1) {
  const killed = start('projector.mjs');
  const written = await write();
  const atKill = await backlog();
  await end(killed, 'SIGKILL');
  const projector = start('projector.mjs');
  for (const ends = Date.now() + WITHIN_MS; (await backlog()) > 0 && Date.now() < ends; ) await pause(200);
  let wrong = 0;
  for (const [id, { version }] of written) {
    const row = await call('GET', `/todos/${id}`).catch(() => undefined);
    if (row?.version !== version || row.applied !== version || row.text !== `text ${EACH}`) wrong += 1;
  }
  const stats = await call('GET', '/stats');
  console.log(JSON.stringify({ repetition, events: stats.eventCount, at_kill: atKill, backlog: stats.backlog, wrong }));
  await end(projector, 'SIGTERM');
}
await end(api, 'SIGTERM');
