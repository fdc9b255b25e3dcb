/** How events reach the table of todos, by PROJECTION and MODE. */
import { asShipped, correlated } from './as_shipped.ts';
import { batched } from './batched.ts';
import { perStream } from './per_stream.ts';
import type { ReadModel } from '../storage/read_model.ts';

/** act, wired; what an id begins with; and what is waited for before a creation is answered. */
export type Application = {
  app: ReturnType<typeof batched> | ReturnType<typeof perStream> | ReturnType<typeof asShipped>;
  prefix: string;
  created(stream: string, id: number): Promise<void>;
};

const nothing = async () => {};

export function application(table: ReadModel, environment: NodeJS.ProcessEnv): Application {
  const { PROJECTION: chosen = 'batched', MODE: mode = 'parallel' } = environment;
  if (chosen === 'batched') return { app: batched(table), prefix: '', created: nothing };
  if (chosen === 'per-stream') return { app: perStream(table), prefix: '', created: nothing };
  if (chosen !== 'as-shipped') throw new Error(`PROJECTION is ${chosen}: expected batched, per-stream or as-shipped`);
  const app = asShipped(table, mode === 'serial');
  return { app, prefix: 'todo-', created: (stream, id) => correlated(app, stream, id) };
}
