/** Writes at the same moment: what act-sqlite does with them by itself, and that behind the queue each is carried out. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Store } from '@rotorsoft/act';
import { SqliteStore } from '@rotorsoft/act-sqlite';
import { oneWriter } from './one_writer.ts';
import { file } from './stores.ts';

const WRITES = 50;

async function committed(wrap: (store: SqliteStore) => Store): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'act-'));
  const store = wrap(new SqliteStore({ url: file(folder, 'events') }));
  try {
    await store.seed();
    const event = { name: 'TodoCreated', data: { text: 'x' } };
    const writes = Array.from({ length: WRITES }, (_, n) =>
      store.commit(`todo-${n}`, [event], { correlation: 'test', causation: {} }),
    );
    await Promise.allSettled(writes);
    return await store.query(() => {});
  } finally {
    await store.dispose();
    await rm(folder, { recursive: true });
  }
}

test('behind the queue every write is committed', async () => {
  assert.equal(await committed(oneWriter), WRITES);
});

test('without it most of them fail, which is what the queue is for: once they do not, leave it out', async () => {
  assert.ok((await committed((store) => store)) < WRITES);
});
