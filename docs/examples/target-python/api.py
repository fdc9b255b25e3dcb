"""A skeleton of a target on the standard library: every route is there, and none of them does anything yet."""

import json
import os
import re
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LARGEST = 1024 * 1024  # Bytes of a body.


class Problem(Exception):
    """A refusal: its status, and why in a sentence."""

    def __init__(self, status, title):
        super().__init__(title)
        self.status, self.title = status, title


def missing(what):
    return Problem(501, f"not written yet: {what}")


# What is yours to write. An answer is (status, document, headers); a refusal is raised as a Problem.


def create(document):
    raise missing("POST /todos, which answers 201 {stream, version} with Location once the todo is committed")


def update(stream, document):
    raise missing("PUT /todos/{stream}, which answers 200 {stream, version}")


def delete(stream):
    raise missing("DELETE /todos/{stream}, which answers 200 {stream, version}, or 204 with ETag")


def get(stream, query):
    raise missing("GET /todos/{stream}, which answers 200 {id, text, version} from the read model, or 404")


def page(query):
    raise missing("GET /todos?limit=&after=, which answers {todos, next}, active todos by id")


def stats():
    raise missing("GET /stats: eventCount, totalEventsProjected, totalTodos, activeTodos, backlog")


def ready():
    return 200, {"ready": True}, {}


ROUTES = [
    ("POST", r"/todos", lambda sent: create(sent.document())),
    ("PUT", r"/todos/([^/]+)", lambda sent, stream: update(stream, sent.document())),
    ("DELETE", r"/todos/([^/]+)", lambda sent, stream: delete(stream)),
    ("GET", r"/todos/([^/]+)", lambda sent, stream: get(stream, sent.query())),
    ("GET", r"/todos", lambda sent: page(sent.query())),
    ("GET", r"/stats", lambda sent: stats()),
    ("GET", r"/readyz", lambda sent: ready()),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # A connection is kept, as the load generator does.
    disable_nagle_algorithm = True

    def answer(self):
        try:
            self.content = self.read()
            status, document, headers = self.route()
        except Problem as refused:
            status, document = refused.status, {"title": refused.title, "status": refused.status}
            headers = {"Content-Type": "application/problem+json"}
        content = b"" if status == 204 else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def read(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self.close_connection = True
            raise Problem(413, "the body is larger than 1 MiB")
        return self.rfile.read(length)

    def route(self):
        path = urlsplit(self.path).path
        for method, pattern, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                return act(self, *found.groups())
        raise Problem(404, f"there is no {self.command} {path}")

    def document(self):
        if "json" not in self.headers.get("Content-Type", "json"):
            raise Problem(415, "the body says that it is no JSON")
        try:
            return json.loads(self.content.decode("utf-8"))
        except ValueError:
            raise Problem(400, "the body is no JSON") from None

    def query(self):
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def log_message(self, form, *values):
        pass  # A line for each request costs more than the request.


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    server = Server((os.environ["HOST"], int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"listening on {os.environ['HOST']}:{os.environ['PORT']}")
    server.serve_forever()
