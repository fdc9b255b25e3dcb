"""Locustfile of plain `FastHttpUser`s that send the requests of the scenario `throughput`, and tell what each cost.

The reference of the row `generator`: the same mix and bodies in Locust's usual way, and nothing is kept of the answers
but the ids. Its settings are VUS, WARMUP_S, DURATION_S, WRITE_RATIO; its last line is its figures.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, constant, events, task
from locust.env import Environment

# Locust puts this folder first on the path, not the project's.
sys.path.insert(0, str(Path(__file__).parents[3]))

from bench.perf.programs.result import report

sys.path.pop(0)

WRITERS = round(float(os.environ["VUS"]) * float(os.environ["WRITE_RATIO"]))
PAGE = 50
IDS: list[str] = []
NUMBERS = iter(range(1_000_000))


class PlainUser(FastHttpUser):
    """A writer or a reader, by its number."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Take a number."""
        self.number = next(NUMBERS)
        self.written = 0

    @task
    def step(self) -> None:
        """One request."""
        if self.number < WRITERS:
            self._write(random.random())
        else:
            self._read(random.random())

    def _write(self, draw: float) -> None:
        self.written += 1
        body = {"text": f"user {self.number} writes {self.written}"}
        if draw < 0.4 or not IDS:
            IDS.append(self.client.post("/todos", json=body).json()["stream"])
        elif draw < 0.7:
            self.client.put(f"/todos/{random.choice(IDS)}", json=body, name="/todos/{id}")
        else:
            self.client.delete(f"/todos/{IDS.pop(random.randrange(len(IDS)))}", name="/todos/{id}")

    def _read(self, draw: float) -> None:
        id = random.choice(IDS) if IDS else ""
        if draw < 0.6 and id:
            with self.client.get(f"/todos/{id}", name="/todos/{id}", catch_response=True) as answer:
                if answer.status_code == 404:
                    answer.success()
        elif draw < 0.8:
            self.client.get(f"/todos?limit={PAGE}&after={id}", name="/todos")
        else:
            self.client.get("/stats")


@events.test_start.add_listener  # type: ignore[untyped-decorator]
def begin(environment: Environment, **_: Any) -> None:
    """Measure beside the users."""
    gevent.spawn(measure, environment)


def measure(environment: Environment) -> None:
    """Processor time, requests and failures between the warm-up and the end."""
    total = environment.stats.total
    gevent.sleep(float(os.environ["WARMUP_S"]))
    began, spent = time.perf_counter(), time.process_time()
    requests, failed = total.num_requests, total.num_failures
    gevent.sleep(float(os.environ["DURATION_S"]))
    seconds, spent = time.perf_counter() - began, time.process_time() - spent
    requests, failed = total.num_requests - requests, total.num_failures - failed
    report(cpu_us=spent / requests * 1e6, per_s=requests / seconds, requests=requests, failed=failed)
    environment.process_exit_code = 0
    if environment.runner is not None:
        environment.runner.quit()
