/**
 * One projection with one target: a worker drains it in the order of the log, a batch a transaction.
 *
 * Source: act's guide "Wiring projections to a database" (batched replay), and its production checklist: settle on every commit;
 * `start_correlations` as the safety net of "Cross-process reactions".
 */
import { act, projection } from '@rotorsoft/act';
import { created, deleted, updated } from './effects.ts';
import type { ReadModel } from '../storage/read_model.ts';
import { Todo, TodoCreated, TodoDeleted, TodoUpdated } from '../todo.ts';

/** Events of a drain: the guide's "reasonable default" where many wait; without it act takes 10. */
const SETTLE = { eventLimit: 1000 };

export function batched(table: ReadModel) {
  const todos = projection('todos')
    .on({ TodoCreated })
    .do(async function insert(event) {
      await table.apply([created(event)]);
    })
    .on({ TodoUpdated })
    .do(async function update(event) {
      await table.apply([updated(event)]);
    })
    .on({ TodoDeleted })
    .do(async function remove(event) {
      await table.apply([deleted(event)]);
    })
    .batch(async (events) => {
      await table.apply(
        events.map((event) => {
          if (event.name === 'TodoCreated') return created(event);
          if (event.name === 'TodoUpdated') return updated(event);
          return deleted(event);
        }),
      );
    })
    .build();
  const app = act().withState(Todo).withProjection(todos).build();
  app.on('committed', () => app.settle(SETTLE));
  app.start_correlations();
  return app;
}
