/** What an event does to its row. Delivery is at least once, so an event that the row has already is passed over. */
import type { Statement } from '../storage/read_model.ts';

type Event = { readonly stream: string; readonly version: number };
type Worded = Event & { readonly data: { readonly text: string } };

/** A todo's version counts its events from 1; act counts from 0. */
export const versionOf = (event: Event): number => event.version + 1;

export const created = (event: Worded): Statement => ({
  sql: 'INSERT INTO todos (id, text, version, deleted, applied) VALUES (?, ?, ?, 0, 1) ON CONFLICT (id) DO NOTHING',
  args: [event.stream, event.data.text, versionOf(event)],
});

export const updated = (event: Worded): Statement => ({
  sql: 'UPDATE todos SET text = ?, version = ?, applied = applied + 1 WHERE id = ? AND version < ?',
  args: [event.data.text, versionOf(event), event.stream, versionOf(event)],
});

export const deleted = (event: Event): Statement => ({
  sql: 'UPDATE todos SET deleted = 1, version = ?, applied = applied + 1 WHERE id = ? AND version < ?',
  args: [versionOf(event), event.stream, versionOf(event)],
});
