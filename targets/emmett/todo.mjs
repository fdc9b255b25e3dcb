// The todo: its state, what a command decides, and how an event changes the state. Pure functions.
import { EmmettError, IllegalStateError } from '@event-driven-io/emmett';

const MAX_TEXT = 2000;

/** The text itself, of 1 to 2000 code points, not all blank, no NUL, no lone surrogate. Throws a 422 otherwise. */
export function checkText(text) {
  if (typeof text !== 'string' || text.trim() === '') throw unprocessable('text is missing, no string, or blank');
  if (text.length > MAX_TEXT && [...text].length > MAX_TEXT) throw unprocessable(`at most ${MAX_TEXT} characters`);
  if (text.includes('\0') || !text.isWellFormed()) throw unprocessable('text has a NUL or a lone surrogate');
  return text;
}

const unprocessable = (message) => new EmmettError({ errorCode: 422, message });

export const initialState = () => 'absent';

export function evolve(state, event) {
  switch (event.type) {
    case 'TodoCreated':
    case 'TodoUpdated':
      return 'active';
    case 'TodoDeleted':
      return 'deleted';
    default:
      return state;
  }
}

export const create = (text) => (state) => {
  if (state !== 'absent') throw new IllegalStateError('a todo with this id was created before');
  return { type: 'TodoCreated', data: { text } };
};

export const update = (text) => (state) => {
  requireActive(state);
  return { type: 'TodoUpdated', data: { text } };
};

export const remove = () => (state) => {
  requireActive(state);
  return { type: 'TodoDeleted', data: {} };
};

function requireActive(state) {
  if (state !== 'active') throw new EmmettError({ errorCode: 404, message: 'there is no such todo' });
}
