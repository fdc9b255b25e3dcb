/** The todo as a state of act: its actions, the events that they emit, and what must hold before an action. */
import { type Invariant, state, ZodEmpty } from '@rotorsoft/act';
import { z } from 'zod';

/** Longest text, in Unicode code points. */
export const MAX_TEXT = 2000;

const wellFormed = (text: string): boolean =>
  /\S/u.test(text) && !text.includes('\0') && text.isWellFormed() && (text.length <= MAX_TEXT || [...text].length <= MAX_TEXT);

const rule = `text has 1 to ${MAX_TEXT} characters, not all blank, no NUL and no lone surrogate`;

export const Text = z.object({ text: z.string().refine(wellFormed, rule) });

export const TodoCreated = Text;
export const TodoUpdated = Text;
export const TodoDeleted = ZodEmpty;

const mustBeActive: Invariant<{ status: string }> = {
  description: 'there is no such todo',
  valid: ({ status }) => status === 'active',
};

export const Todo = state({ Todo: z.object({ text: z.string(), status: z.enum(['absent', 'active', 'deleted']) }) })
  .init(() => ({ text: '', status: 'absent' as const }))
  .emits({ TodoCreated, TodoUpdated, TodoDeleted })
  .patch({
    TodoCreated: ({ data }) => ({ text: data.text, status: 'active' as const }),
    TodoDeleted: () => ({ status: 'deleted' as const }),
  })
  .on({ createTodo: Text })
  .emit('TodoCreated')
  .on({ updateTodo: Text })
  .given([mustBeActive])
  .emit('TodoUpdated')
  .on({ deleteTodo: ZodEmpty })
  .given([mustBeActive])
  .emit('TodoDeleted')
  .build();
