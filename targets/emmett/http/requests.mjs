// What a caller sends, read within bounds, and errors as RFC 9457 problems.
import { EmmettError, isExpectedVersionConflictError } from '@event-driven-io/emmett';
import { STATUS_CODES } from 'node:http';
import { Busy } from './reads.mjs';
import { checkText } from '../todo.mjs';

export const MAX_BODY = 32 * 1024;
const JSON_TYPE = /^application\/([a-z0-9.-]+\+)?json$/;
const ID = /^[A-Za-z0-9._~-]{1,200}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

const refused = (errorCode, message) => new EmmettError({ errorCode, message });

/** The `text` of the body. Throws 400, 415 or 422. */
export function textOf(request) {
  const kind = (request.headers['content-type'] ?? 'application/json').split(';')[0].trim().toLowerCase();
  if (!JSON_TYPE.test(kind)) throw refused(415, 'send the body as application/json');
  let body;
  try {
    body = JSON.parse(utf8.decode(request.body));
  } catch (error) {
    throw refused(400, `the body is not JSON in UTF-8: ${error.message}`);
  }
  return checkText(body?.text);
}

export const notFound = () => refused(404, 'there is no such todo');

/** The stream of the path. Throws 404 for what no todo can be called. */
export function idOf(request) {
  if (!ID.test(request.params.stream)) throw notFound();
  return request.params.stream;
}

/** A whole number of the query. Throws 400. */
export function numberOf(request, name, fallback, least, most) {
  const given = request.query[name];
  if (given === undefined) return fallback;
  const value = Number(given);
  if (typeof given !== 'string' || !/^\d{1,16}$/.test(given) || value < least || value > most)
    throw refused(400, `${name} takes a whole number from ${least} to ${most}`);
  return value;
}

/** Errors of the driver that say that the store is away: no connection, or one that the server ended. */
const away = (error) => /^(ECONN|ETIMEDOUT|EPIPE|08|57P)/.test(error?.code ?? '') || /^Connection terminated/.test(error?.message ?? '');

/** Status and words of an error: Emmett's `errorCode`, Express's `status`, a store that is away, or a defect. */
function told(error) {
  if (isExpectedVersionConflictError(error)) return [409, 'another writer was first, again and again'];
  if (error instanceof Busy || away(error)) return [503, 'the store gave no answer in time'];
  const status = error?.errorCode ?? error?.status;
  return status >= 400 && status < 500 ? [status, error.message] : [500, 'an error of this server; see its log'];
}

/** Express's last handler: every error as a problem document. */
export function problems(error, _request, response, next) {
  if (response.headersSent) return next(error);
  const [status, detail] = told(error);
  if (status >= 500) console.log(error);
  if (status === 503) response.set('Retry-After', '1');
  return response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail }));
}
