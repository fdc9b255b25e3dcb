/** The operations of the contract: actions of act, its log, and reads of the table. */
import { randomUUID } from 'node:crypto';
import { ConcurrencyError } from '@rotorsoft/act';
import type { Application } from './projections/chosen.ts';
import type { ReadModel, Todo } from './storage/read_model.ts';

const ACTOR = { id: 'benchmark', name: 'benchmark' };
/** How often an action without an expected version is tried that meets another writer of its todo. */
const ATTEMPTS = 10;
const PAGE = 1000;
const NAMES = ['TodoCreated', 'TodoUpdated', 'TodoDeleted'] as const;

export type Written = { stream: string; version: number };
export type Operations = Awaited<ReturnType<typeof operations>>;

export async function operations(table: ReadModel, { app, prefix, created }: Application) {
  const log = (after: number | undefined, limit: number) => app.query_array({ names: [...NAMES], after, limit });

  let committed = 0;
  for (let page = await log(undefined, PAGE); page.length > 0; page = await log(page.at(-1)?.id, PAGE)) {
    committed += page.length;
  }
  app.on('committed', (snapshots) => {
    committed += snapshots.length;
  });

  /** act expects the version that it loaded, so one of two writers at the same moment is refused, and loads again. */
  async function act(name: 'createTodo' | 'updateTodo' | 'deleteTodo', stream: string, payload: any, expected?: number) {
    const expectedVersion = expected === undefined ? undefined : expected - 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const event = (await app.do(name, { stream, actor: ACTOR, expectedVersion }, payload)).at(-1)?.event;
        if (!event) throw new Error(`${name} of ${stream} emitted no event`);
        return event;
      } catch (error) {
        if (!(error instanceof ConcurrencyError) || expected !== undefined || attempt === ATTEMPTS) throw error;
      }
    }
  }

  const written = ({ stream, version }: Written): Written => ({ stream, version: version + 1 });

  return {
    async create(payload: unknown): Promise<Written> {
      const event = await act('createTodo', prefix + randomUUID(), payload);
      await created(event.stream, event.id);
      return written(event);
    },
    async update(stream: string, payload: unknown, expected?: number): Promise<Written> {
      return written(await act('updateTodo', stream, payload, expected));
    },
    async delete(stream: string, expected?: number): Promise<Written> {
      return written(await act('deleteTodo', stream, {}, expected));
    },
    find: (id: string): Promise<Todo | undefined> => table.find(id),
    async page(after: string, limit: number) {
      const todos = await table.page(after, limit + 1);
      const next = todos.length > limit ? todos[limit - 1].id : null;
      return { todos: todos.slice(0, limit), next };
    },
    /** Positions are act's ids of events, which SQLite and Postgres give in the order of commits. */
    async events(after: number, limit: number) {
      const found = await log(after, limit + 1);
      const events = found.slice(0, limit).map(({ id, stream, version, name, data, created }) => ({
        position: id,
        stream,
        version: version + 1,
        type: name,
        data,
        recordedAt: created.toISOString(),
      }));
      return { events, next: found.length > limit ? events.at(-1)?.position : null };
    },
    /** The table is read first, so that what is projected was committed. */
    async stats() {
      const { todos, active, applied } = await table.totals();
      return {
        eventCount: committed,
        totalEventsProjected: applied,
        totalTodos: todos,
        activeTodos: active,
        backlog: Math.max(0, committed - applied),
      };
    },
    drain: () => app.settle(),
  };
}
