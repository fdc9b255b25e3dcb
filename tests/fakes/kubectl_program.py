"""What the fake `kubectl` does: it needs nothing but Python itself, since each call is a process that has to start."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

PART_OF = "app.kubernetes.io/part-of=tidemark,app.kubernetes.io/component="


def read(folder: Path) -> dict[str, Any]:
    """The cluster."""
    state: dict[str, Any] = json.loads((folder / "state.json").read_text())
    return state


def write(folder: Path, state: dict[str, Any]) -> None:
    """Replaced as a whole, since several calls may be under way."""
    scratch = folder / f"state.{time.monotonic_ns()}"
    scratch.write_text(json.dumps(state))
    scratch.replace(folder / "state.json")


def play(folder: Path, arguments: list[str]) -> int:
    """One call."""
    state = read(folder)
    line = " ".join(arguments)
    with (folder / "calls").open("a") as calls:
        calls.write(line.replace("\n", " ") + "\n")
    for when, code, out, err in state["answers"]:
        if when in line:
            sys.stdout.write(out)
            sys.stderr.write(err)
            return int(code)
    words = arguments[2:] if arguments[:1] == ["--namespace"] else arguments
    if words[:2] in (["exec", "loadgen-run"], ["port-forward", "--address"]):
        # These last, and change nothing.
        return _run(folder, words) if words[0] == "exec" else _forward(folder, int(words[4].partition(":")[0]))
    before = json.dumps(state)
    code = _play(state, words)
    if json.dumps(state) != before:
        write(folder, state)
    return code


def _run(folder: Path, words: list[str]) -> int:
    """The load generator's pod: its samples as they come, its end, and its files."""
    results = folder / "results"
    match words[3]:
        case "tail":
            sys.stdout.write((results / "samples.jsonl").read_text())
            sys.stdout.flush()
            time.sleep(60)
        case "env":
            print("verdict      converged")
            return int(read(folder)["exit_code"])
        case "tar":
            import subprocess

            return subprocess.run(["tar", "--create", "--directory", str(results), "."], check=False).returncode
    return 0


def _forward(folder: Path, port: int) -> int:
    """An API that knows the projectors of the cluster."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            holders = [f"{name}-holder" for name in read(folder)["pods"]["projector"]]
            alive = [{"holder": one, "alive": True, "strategy": "stream-leases", "waiting": None} for one in holders]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"serialProjection": False, "projectors": alive}).encode())

        def log_message(self, *_: object) -> None:
            return

    HTTPServer(("127.0.0.1", port), Door).serve_forever()
    return 0


def _play(state: dict[str, Any], words: list[str]) -> int:
    match words:
        case ["get", "pods", "--selector", selector, *_]:
            _get_pods(state, selector.removeprefix(PART_OF))
        case ["get", "deployment", name, *_]:
            _show({"kind": "Deployment", "spec": {"replicas": len(_staying(state, name))}})
        case ["get", "horizontalpodautoscalers", *_]:
            target = {"kind": "Deployment", "name": "projector"}
            one = {"metadata": {"name": "keda-hpa-projector"}, "spec": {"scaleTargetRef": target}}
            _show({"kind": "List", "items": [one] if state["autoscaled"] else []})
        case ["get", "configmap", "database", *_]:
            _show({"kind": "ConfigMap", "data": {"at": "tidemark-db-rw:5432/tidemark?sslmode=require"}})
        case ["get", "secret", "tidemark-passwords", "--output", "json"]:
            _show({"kind": "Secret", "data": {"TIDEMARK_ORACLE_PASSWORD": "bG9va3M="}})
        case ["annotate", "pod", name, cost, *_]:
            state["costs"][name] = int(cost.rpartition("=")[2])
        case ["scale", deployment, replicas]:
            _scale(state, deployment.partition("/")[2], int(replicas.partition("=")[2]))
        case ["exec", name, "--container", _, "--", "python", "-c", _, _, number]:
            return _signal(state, name, int(number))
        case ["logs", name, *_]:
            print(json.dumps({"event": "projector started", "projector": f"{name}-holder"}))
    return 0


def _show(document: dict[str, Any]) -> None:
    print(json.dumps(document))


def _staying(state: dict[str, Any], kind: str) -> list[str]:
    return [name for name in state["pods"][kind] if name not in state["ending"]]


def _get_pods(state: dict[str, Any], kind: str) -> None:
    """A pod that was told to end is seen once more, unless it is told at the same time to go by a signal."""
    items = []
    for name in list(state["pods"][kind]):
        ending = name in state["ending"]
        metadata = {"name": name, **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if ending else {})}
        status = {"conditions": [{"type": "Ready", "status": "True"}]}
        items.append({"kind": "Pod", "metadata": metadata, "status": status})
        if ending:
            state["pods"][kind].remove(name)
    _show({"kind": "List", "items": items})


def _scale(state: dict[str, Any], kind: str, count: int) -> None:
    """As a ReplicaSet: the pods that cost least go first, new ones have new names."""
    staying = sorted(_staying(state, kind), key=lambda name: state["costs"].get(name, 0))
    state["ending"] += staying[: max(0, len(staying) - count)]
    for _ in range(count - len(staying)):
        state["made"] += 1
        state["pods"][kind].append(f"{kind}-{state['made']}")


def _signal(state: dict[str, Any], name: str, number: int) -> int:
    return 0 if number else 3
