/** As durable as is said: journal mode and flushes of the files, as the library opens them. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createClient } from '@libsql/client';
import { store } from '@rotorsoft/act';
import { file, open } from './stores.ts';

const FULL = 2;

test('a connection of the library to either file flushes each commit', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'act-'));
  try {
    const table = await open({ STORE: 'sqlite', DATA: folder });
    for (const name of ['events', 'todos'] as const) {
      const client = createClient({ url: file(folder, name) });
      const pragma = async (what: string) => (await client.execute(`PRAGMA ${what}`)).rows[0][0];
      assert.equal(await pragma('journal_mode'), 'wal', name);
      assert.equal(await pragma('synchronous'), FULL, name);
      client.close();
    }
    await table.close();
    await store().dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
});
