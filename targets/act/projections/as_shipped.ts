/**
 * The wiring of act's own Todo server: 25 targets (or one, with SERIAL_PROJECTION), a correlation after a creation alone, and a drain
 * each second; handlers write whatever comes, without a look at versions.
 *
 * Source: performance/act-performance of github.com/Rotorsoft/act-root, server.ts at a22dd8969b52 and pg-projector.ts at
 * 0e4894033d05: described here and written anew, over the store and the table of this target.
 */
import { act } from '@rotorsoft/act';
import { created, versionOf } from './effects.ts';
import type { ReadModel } from '../storage/read_model.ts';
import { Todo } from '../todo.ts';

const TARGETS = 25;
const DRAIN_EVERY_MS = 1000;
const DRAIN = { streamLimit: 20, eventLimit: 200 };

/** Ids are `todo-` and a UUID, whose first digit is the target: 16 of the 25 are ever used. */
const bucket = ({ stream }: { stream: string }) => ({
  target: `stream-${Number.parseInt(stream.slice(5, 6), 16) % TARGETS}`,
  source: 'todo.*',
});

const one = () => ({ target: 'serial_projection' });

export function asShipped(table: ReadModel, serial: boolean) {
  const resolver = serial ? one : bucket;
  const app = act()
    .withState(Todo)
    .on('TodoCreated')
    .do(async function insert(event) {
      await table.apply([created(event)]);
    })
    .to(resolver)
    .on('TodoUpdated')
    .do(async function update(event) {
      const sql = 'UPDATE todos SET text = ?, version = ?, applied = applied + 1 WHERE id = ?';
      await table.apply([{ sql, args: [event.data.text, versionOf(event), event.stream] }]);
    })
    .to(resolver)
    .on('TodoDeleted')
    .do(async function remove(event) {
      const sql = 'UPDATE todos SET deleted = 1, version = ?, applied = applied + 1 WHERE id = ?';
      await table.apply([{ sql, args: [versionOf(event), event.stream] }]);
    })
    .to(resolver)
    .build();
  setInterval(() => void app.drain(DRAIN), DRAIN_EVERY_MS).unref();
  return app;
}

/** What its server waits for before it answers a creation. */
export async function correlated(app: ReturnType<typeof asShipped>, stream: string, id: number): Promise<void> {
  await app.correlate({ stream, after: id - 1 });
}
