// The API of the Todo service on Emmett: commands by its command handler, reads by SQL, over Express.
import { CommandHandler, isExpectedVersionConflictError } from '@event-driven-io/emmett';
import express from 'express';
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import * as reads from './http/reads.mjs';
import { MAX_BODY, idOf, notFound, numberOf, problems, textOf } from './http/requests.mjs';
import { openPool, openStore } from './store.mjs';
import { create, evolve, initialState, remove, update } from './todo.mjs';

const MAX_LIMIT = 1000;

/** A command that another writer was first with is decided anew. */
const handle = CommandHandler({
  evolve,
  initialState,
  retry: {
    onVersionConflict: {
      retries: 20,
      minTimeout: 2,
      maxTimeout: 50,
      factor: 1.5,
      shouldRetryError: isExpectedVersionConflictError,
    },
  },
});

const pool = openPool();
const store = openStore(pool);

/** The version of the stream after a command, once it is committed. */
const commit = async (id, decide) => Number((await handle(store, id, decide)).nextExpectedStreamVersion);

const application = express();
application.disable('x-powered-by');
application.disable('etag');
// Raw bodies, so that the caller's bytes are judged here and not silently mended.
application.use(express.raw({ type: () => true, limit: MAX_BODY }));

application.post('/todos', async (request, response) => {
  const text = textOf(request);
  const stream = `todo-${randomUUID()}`;
  const version = await commit(stream, create(text));
  response.status(201).location(`/todos/${stream}`).set('ETag', `"${version}"`).json({ stream, version });
});

application.put('/todos/:stream', async (request, response) => {
  const text = textOf(request);
  const stream = idOf(request);
  const version = await commit(stream, update(text));
  response.set('ETag', `"${version}"`).json({ stream, version });
});

application.delete('/todos/:stream', async (request, response) => {
  const version = await commit(idOf(request), remove());
  response.status(204).set('ETag', `"${version}"`).end();
});

application.get('/todos/:stream', async (request, response) => {
  const todo = await reads.get(pool, idOf(request));
  if (todo === undefined) throw notFound();
  response.set('ETag', `"${todo.version}"`).json(todo);
});

application.get('/todos', async (request, response) => {
  const limit = numberOf(request, 'limit', 100, 1, MAX_LIMIT);
  response.json(await reads.page(pool, String(request.query.after ?? ''), limit));
});

application.get('/events', async (request, response) => {
  const after = numberOf(request, 'after', 0, 0, Number.MAX_SAFE_INTEGER);
  response.json(await reads.events(pool, after, numberOf(request, 'limit', 100, 1, MAX_LIMIT)));
});

application.get('/stats', async (_request, response) => {
  response.json(await reads.stats(pool));
});

application.get('/readyz', async (_request, response) => {
  await pool.query('SELECT 1');
  response.json({ ready: true });
});

application.use(problems);

const server = createServer(application).listen(Number(process.env.PORT), process.env.HOST, () =>
  console.log(`listening on ${process.env.HOST}:${process.env.PORT}`),
);

for (const signal of ['SIGTERM', 'SIGINT'])
  process.on(signal, () => {
    server.close(() => pool.end().then(() => process.exit(0)));
    server.closeIdleConnections();
  });
