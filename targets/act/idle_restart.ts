/**
 * SIGKILL while an event is being projected, a restart, and nobody who writes: how long until it is projected?
 *
 * `node idle_restart.ts [REPETITIONS] [SECONDS]`, in the folder of the install. A line a repetition: seconds until the event was projected,
 * null if it was not within SECONDS; the same after a `POST /drain`, which settles; and after a further write.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const PORT = 18_765;
const BASE = `http://127.0.0.1:${PORT}`;
const DRAINED_WITHIN_S = 5;
const [repetitions = 5, seconds = 30] = process.argv.slice(2).map(Number);

async function started(data: string, latency: number): Promise<ChildProcess> {
  const told = { PORT: String(PORT), DATA: data, HANDLER_LATENCY_MS: String(latency), LOG_LEVEL: 'error' };
  const api = spawn(process.execPath, ['api.ts'], { env: { ...process.env, ...told }, stdio: ['ignore', 'ignore', 'inherit'] });
  for (;;) {
    if (await fetch(`${BASE}/readyz`).then(({ ok }) => ok, () => false)) return api;
    if (api.exitCode !== null) throw new Error('the API ended');
    await pause(50);
  }
}

async function create(): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await fetch(`${BASE}/todos`, { method: 'POST', headers, body: '{"text":"buy milk"}' });
}

async function backlog(): Promise<number> {
  const stats = (await (await fetch(`${BASE}/stats`)).json()) as { backlog: number };
  return stats.backlog;
}

/** Seconds until nothing is left to project; null if that did not come. */
async function projected(within: number): Promise<number | null> {
  const begun = performance.now();
  while ((await backlog()) > 0) {
    if (performance.now() - begun > within * 1000) return null;
    await pause(20);
  }
  return Math.round(performance.now() - begun) / 1000;
}

async function ended(api: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const end = once(api, 'exit');
  api.kill(signal);
  await end;
}

for (let n = 1; n <= repetitions; n += 1) {
  const data = await mkdtemp(join(tmpdir(), 'act-'));
  const killed = await started(data, 3000);
  await create();
  await pause(1000);
  if ((await backlog()) !== 1) throw new Error('the event was projected before the kill');
  await ended(killed, 'SIGKILL');
  const api = await started(data, 0);
  const idle = await projected(seconds);
  await fetch(`${BASE}/drain`, { method: 'POST' });
  const drained = await projected(DRAINED_WITHIN_S);
  await create();
  const written = await projected(seconds);
  console.log(JSON.stringify({ repetition: n, idle_s: idle, after_a_drain_s: drained, after_a_write_s: written }));
  await ended(api, 'SIGTERM');
  await rm(data, { recursive: true });
}
