/**
 * A queue for the writes of a SQLite store, so that one waits for another as act-sqlite's README says.
 *
 * act-sqlite 1.19.4 gives each write a transaction of its own, and the @libsql/client 0.18 that it asks for gives each transaction a
 * connection of its own: of two writes at the same moment one fails with SQLITE_BUSY. Composed over act's public Store port.
 */
import type { Store } from '@rotorsoft/act';

/** Reads need no turn: in WAL mode they go on beside a writer. */
const READS = new Set<PropertyKey>(['query', 'query_streams', 'query_stats']);

/** The store, whose writes are carried out one after another, in the order in which they are asked for. */
export function oneWriter<S extends Store>(inner: S): S {
  let last: Promise<unknown> = Promise.resolve();
  return new Proxy(inner, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      if (READS.has(name)) return found.bind(target);
      return (...values: unknown[]) => {
        const turn = last.then(() => found.apply(target, values));
        last = turn.catch(() => {});
        return turn;
      };
    },
  });
}
