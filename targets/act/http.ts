/** Requests and answers of the contract over node:http: bounds of what is read, and RFC 9457 problems. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const MAX_BODY = 1024 * 1024;
const ID = /^[A-Za-z0-9._~-]{1,200}$/;
const ETAG = /^"(\d{1,9})"$/;
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;.*)?$/i;

export type Answer = { status: number; body?: unknown; headers?: Record<string, string> };

const titles: Record<number, string> = {
  400: 'Malformed request',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Version conflict',
  413: 'Body too large',
  415: 'Unsupported media type',
  422: 'Invalid text',
  500: 'Internal error',
  503: 'Store unavailable',
};

/** A request that is not carried out; `detail` says why. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

export function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  const about = text ? { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) } : {};
  response.writeHead(status, { ...about, ...headers }).end(text);
}

export function problem(status: number, detail: string, headers: Record<string, string> = {}): Answer {
  return { status, body: { type: 'about:blank', title: titles[status] ?? 'Refused', status, detail }, headers };
}

/** The JSON document of a body. Refusals: 400, 413, 415. */
export async function document(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type'];
  const chunks: Buffer[] = [];
  let length = 0;
  // Read to its end even if it is refused, so that the connection can go on.
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  if (length > MAX_BODY) throw new Refusal(413, `the body has more than ${MAX_BODY} bytes`);
  if (type !== undefined && !JSON_TYPE.test(type.trim())) throw new Refusal(415, 'send the body as application/json');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${(error as Error).message}`);
  }
}

/** The id in a path: what no todo can be called is a todo that there is not. */
export function todoId(text: string): string {
  let id: string;
  try {
    id = decodeURIComponent(text);
  } catch {
    throw new Refusal(400, 'the path is not percent-encoded UTF-8');
  }
  if (!ID.test(id)) throw new Refusal(404, 'there is no such todo');
  return id;
}

/** The version of `If-Match: "<version>"`; undefined without the header, or for `*`. */
export function expectedVersion(request: IncomingMessage): number | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const match = ETAG.exec(header);
  if (!match) throw new Refusal(400, 'If-Match takes one version in quotes, such as "3", or *');
  return Number(match[1]);
}

/** A whole number of the query within its bounds. */
export function whole(query: URLSearchParams, name: string, byDefault: number, low: number, high: number): number {
  const text = query.get(name);
  if (text === null) return byDefault;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high)) throw new Refusal(400, `${name} is a whole number from ${low} to ${high}`);
  return value;
}
