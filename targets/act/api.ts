/**
 * The contract's HTTP over act: one process that appends, projects and answers, since act-sqlite means one for each file.
 *
 * act ends it on SIGTERM, and closes what was told to `dispose` before its store.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { ConcurrencyError, dispose, InvariantError, ValidationError } from '@rotorsoft/act';
import { type Answer, document, expectedVersion, problem, Refusal, send, todoId, whole } from './http.ts';
import { operations, type Written } from './operations.ts';
import { application } from './projections/chosen.ts';
import { open } from './storage/stores.ts';

const BY_DEFAULT = 100;
const LARGEST_PAGE = 1000;

/** act keeps a process alive over an uncaught exception in production, so one that can not start has to end itself. */
function failed(error: unknown): never {
  console.error(`can not start: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

async function started() {
  const port = Number(process.env.PORT);
  if (!(Number.isInteger(port) && port > 0 && port < 65_536)) throw new Error('PORT is not set to a port');
  const table = await open(process.env);
  const wired = application(table, process.env);
  return { port, table, wired, todos: await operations(table, wired) };
}

const { port, table, wired, todos } = await started().catch(failed);
wired.app.on('blocked', (blocked) => {
  for (const { stream, error } of blocked) console.error(`target ${stream} is blocked: ${error}`);
});
todos.drain();

const etag = (version: number) => ({ etag: `"${version}"` });
const answered = (status: number, written: Written, headers = {}): Answer => ({
  status,
  body: written,
  headers: { ...etag(written.version), ...headers },
});

async function todo(request: IncomingMessage, id: string): Promise<Answer> {
  switch (request.method) {
    case 'GET': {
      const found = await todos.find(id);
      if (!found) throw new Refusal(404, 'there is no such todo');
      return { status: 200, body: found, headers: etag(found.version) };
    }
    case 'PUT':
      return answered(200, await todos.update(id, await document(request), expectedVersion(request)));
    case 'DELETE': {
      const { version } = await todos.delete(id, expectedVersion(request));
      return { status: 204, headers: etag(version) };
    }
    default:
      throw new Refusal(405, 'a todo takes GET, PUT and DELETE', { allow: 'GET, PUT, DELETE' });
  }
}

async function route(request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://target');
  const id = /^\/todos\/([^/]+)$/.exec(pathname)?.[1];
  if (id !== undefined) return todo(request, todoId(id));
  switch (`${request.method} ${pathname}`) {
    case 'POST /todos': {
      const written = await todos.create(await document(request));
      return answered(201, written, { location: `/todos/${written.stream}` });
    }
    case 'GET /todos':
      return { status: 200, body: await todos.page(query.get('after') ?? '', whole(query, 'limit', BY_DEFAULT, 1, LARGEST_PAGE)) };
    case 'GET /events': {
      const after = whole(query, 'after', 0, 0, Number.MAX_SAFE_INTEGER);
      return { status: 200, body: await todos.events(after, whole(query, 'limit', BY_DEFAULT, 1, LARGEST_PAGE)) };
    }
    case 'GET /stats':
      return { status: 200, body: await todos.stats() };
    case 'POST /drain':
      todos.drain();
      return { status: 202, body: {} };
    case 'GET /readyz':
      return { status: 200, body: { status: 'ready' } };
    default:
      throw new Refusal(404, 'there is no such resource');
  }
}

function refused(error: unknown): Answer {
  if (error instanceof Refusal) return problem(error.status, error.message, error.headers);
  if (error instanceof ValidationError) return problem(422, `text: ${JSON.stringify(error.details)}`);
  if (error instanceof InvariantError) return problem(404, error.description);
  if (error instanceof ConcurrencyError) return problem(409, 'another write of this todo came first');
  console.error(error);
  return problem(503, 'the store did not carry this out: send it again', { 'retry-after': '1' });
}

const server = createServer((request, response) => {
  route(request)
    .catch(refused)
    .then((answer) => send(response, answer))
    .catch((error) => response.destroy(error));
});
server.once('error', failed);
server.listen(port, '127.0.0.1', () => console.log(`listening on port ${port}`));

dispose(async () => {
  server.close();
  server.closeAllConnections();
  await table.close();
});
