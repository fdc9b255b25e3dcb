/**
 * A target for each todo: act drains many side by side, event by event, each todo in its own order.
 *
 * Source: act's "Correlation and drain" (dynamic resolvers) and its production checklist: settle on every commit.
 */
import { act } from '@rotorsoft/act';
import { created, deleted, updated } from './effects.ts';
import type { ReadModel } from '../storage/read_model.ts';
import { Todo } from '../todo.ts';

const itself = ({ stream }: { stream: string }) => ({ target: stream, source: stream });

export function perStream(table: ReadModel) {
  const app = act()
    .withState(Todo)
    .on('TodoCreated')
    .do(async function insert(event) {
      await table.apply([created(event)]);
    })
    .to(itself)
    .on('TodoUpdated')
    .do(async function update(event) {
      await table.apply([updated(event)]);
    })
    .to(itself)
    .on('TodoDeleted')
    .do(async function remove(event) {
      await table.apply([deleted(event)]);
    })
    .to(itself)
    .build();
  app.on('committed', () => app.settle());
  app.start_correlations();
  return app;
}
