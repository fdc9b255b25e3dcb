/**
 * Where events and todos are kept, by STORE: `sqlite` (act-sqlite, the default) or `postgres` (act-pg 1.19 or newer, and pg).
 *
 * `sqlite`: two files in DATA, since SQLite has one writer at a time and act-sqlite means one process for each file. `postgres`:
 * the database of DATABASE_URL. Both packages for it have to be added to this folder: the registry may have none that fits.
 */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { store } from '@rotorsoft/act';
import { SqliteStore } from '@rotorsoft/act-sqlite';
import { oneWriter } from './one_writer.ts';
import { type Database, type ReadModel, readModel, type Statement } from './read_model.ts';

const OLDEST = [1, 19];

/**
 * Make the store that act uses, with its tables, and the read model; a transaction of it waits HANDLER_LATENCY_MS for each event.
 * Throws an Error that says what to do where something can not be had.
 */
export async function open(environment: NodeJS.ProcessEnv): Promise<ReadModel> {
  const table = await chosen(environment);
  const latency = Number(environment.HANDLER_LATENCY_MS ?? 0);
  if (latency === 0) return table;
  return {
    ...table,
    async apply(statements) {
      await new Promise((resolve) => setTimeout(resolve, latency * statements.length));
      await table.apply(statements);
    },
  };
}

async function chosen(environment: NodeJS.ProcessEnv): Promise<ReadModel> {
  const name = environment.STORE ?? 'sqlite';
  if (name === 'sqlite') return sqlite(required(environment, 'DATA'));
  if (name === 'postgres') return postgres(required(environment, 'DATABASE_URL'));
  throw new Error(`STORE is ${name}: expected sqlite or postgres`);
}

function required(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** The address of a database file in DATA. */
export const file = (folder: string, name: 'events' | 'todos'): string => pathToFileURL(join(folder, `${name}.db`)).href;

async function sqlite(folder: string): Promise<ReadModel> {
  store(oneWriter(new SqliteStore({ url: file(folder, 'events') })));
  await store().seed();
  const client = createClient({ url: file(folder, 'todos') });
  // As act-sqlite does. What flushes at each commit, synchronous=FULL, is how the library opens a connection.
  await client.execute('PRAGMA journal_mode=WAL');
  const database: Database = {
    rows: async ({ sql, args }) => (await client.execute(sql, args)).rows,
    transaction: async (statements) => void (await client.batch(statements, 'write')),
    close: async () => client.close(),
  };
  return readModel(database, 'text');
}

async function postgres(url: string): Promise<ReadModel> {
  refuseOlder('@rotorsoft/act-pg');
  // By name in a variable, since neither package is among the dependencies.
  const [adapter, driver] = ['@rotorsoft/act-pg', 'pg'];
  const { PostgresStore } = await import(adapter);
  const { Pool } = (await import(driver)).default;
  const { hostname, port, username, password, pathname } = new URL(url);
  const login = { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  store(new PostgresStore({ host: hostname, port: Number(port), ...login, database: pathname.slice(1) }));
  await store().seed();
  const pool = new Pool({ connectionString: url });
  const query = ({ sql, args }: Statement) => {
    let n = 0;
    return { text: sql.replaceAll('?', () => `$${(n += 1)}`), values: args };
  };
  const database: Database = {
    rows: async (statement) => (await pool.query(query(statement))).rows,
    transaction: async (statements) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        for (const statement of statements) await client.query(query(statement));
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      } finally {
        client.release();
      }
    },
    close: () => pool.end(),
  };
  return readModel(database, 'text COLLATE "C"');
}

/** The act-pg of the registry was 0.4.6 for long, which is no store of this act. */
function refuseOlder(name: string): void {
  const { version } = JSON.parse(readFileSync(packageOf(name), 'utf8'));
  const [major, minor] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new Error(`${name} is ${version}: it has to be ${OLDEST.join('.')} or newer`);
}

function packageOf(name: string): string {
  try {
    const found = findPackageJSON(name, import.meta.url);
    if (found) return found;
  } catch {
    // It is not there: said below.
  }
  throw new Error(`${name} is not installed: add ${name} ${OLDEST.join('.')} or newer, and pg`);
}
