// A skeleton of a target on Node's own HTTP server: every route is there, and none of them does anything yet.
// Node runs it as it stands, by leaving out the types: from version 22.18 on.

import { createServer, type IncomingMessage } from "node:http";

type Answer = { status: number; document?: unknown; headers?: Record<string, string> };
type Sent = { document: () => any; query: URLSearchParams };

const LARGEST = 1024 * 1024; // Bytes of a body.
const utf8 = new TextDecoder("utf-8", { fatal: true });

// A refusal: its status, and why in a sentence.
class Problem extends Error {
  status: number;
  constructor(status: number, title: string) {
    super(title);
    this.status = status;
  }
}

const missing = (what: string) => new Problem(501, `not written yet: ${what}`);

// What is yours to write. A refusal is thrown as a Problem.

async function create(sent: Sent): Promise<Answer> {
  throw missing("POST /todos, which answers 201 {stream, version} with Location once the todo is committed");
}

async function update(sent: Sent, stream: string): Promise<Answer> {
  throw missing("PUT /todos/{stream}, which answers 200 {stream, version}");
}

async function remove(sent: Sent, stream: string): Promise<Answer> {
  throw missing("DELETE /todos/{stream}, which answers 200 {stream, version}, or 204 with ETag");
}

async function get(sent: Sent, stream: string): Promise<Answer> {
  throw missing("GET /todos/{stream}, which answers 200 {id, text, version} from the read model, or 404");
}

async function page(sent: Sent): Promise<Answer> {
  throw missing("GET /todos?limit=&after=, which answers {todos, next}, active todos by id");
}

async function stats(): Promise<Answer> {
  throw missing("GET /stats: eventCount, totalEventsProjected, totalTodos, activeTodos, backlog");
}

async function ready(): Promise<Answer> {
  return { status: 200, document: { ready: true } };
}

const ROUTES: [string, RegExp, (sent: Sent, stream: string) => Promise<Answer>][] = [
  ["POST", /^\/todos$/, create],
  ["PUT", /^\/todos\/([^/]+)$/, update],
  ["DELETE", /^\/todos\/([^/]+)$/, remove],
  ["GET", /^\/todos\/([^/]+)$/, get],
  ["GET", /^\/todos$/, page],
  ["GET", /^\/stats$/, stats],
  ["GET", /^\/readyz$/, ready],
];

async function route(request: IncomingMessage): Promise<Answer> {
  const body = await read(request);
  const url = new URL(request.url ?? "/", "http://target");
  const sent: Sent = { query: url.searchParams, document: () => parsed(request, body) };
  for (const [method, pattern, act] of ROUTES) {
    const found = pattern.exec(url.pathname);
    if (found && method === request.method) return act(sent, decodeURIComponent(found[1] ?? ""));
  }
  throw new Problem(404, `there is no ${request.method} ${url.pathname}`);
}

async function read(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > LARGEST) throw new Problem(413, "the body is larger than 1 MiB");
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function parsed(request: IncomingMessage, body: Buffer): any {
  if (!(request.headers["content-type"] ?? "json").includes("json")) throw new Problem(415, "the body says that it is no JSON");
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    throw new Problem(400, "the body is no JSON");
  }
}

function refused(error: unknown): Answer {
  if (!(error instanceof Problem)) console.error(error);
  const status = error instanceof Problem ? error.status : 500;
  const title = error instanceof Problem ? error.message : "a defect, which the log tells";
  return { status, document: { title, status }, headers: { "Content-Type": "application/problem+json" } };
}

const server = createServer((request, response) => {
  route(request).catch(refused).then(({ status, document, headers }) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(status === 204 ? undefined : JSON.stringify(document));
  });
});
const { HOST, PORT } = process.env;
server.listen(Number(PORT), HOST, () => console.log(`listening on ${HOST}:${PORT}`));
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
