"""Locust's statistics, merged once a second, are those that its event for each request would have made."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: Locust patches whoever imports it.
COMPARED = """
import random
from locust.env import Environment
from locust.stats import RequestStats
from services.loadgen.measure.locust_statistics import LocustStatistics

draws, ours = random.Random(1), LocustStatistics()
one_by_one, merged = RequestStats(), RequestStats()
for number in range(1000):
    method, name = draws.choice([("GET", "/todos"), ("POST", "/todos"), ("GET", "/stats")])
    seconds, length, why = draws.expovariate(5), draws.randrange(900), draws.choice(["", "", "status 500", "no answer"])
    ours.note(method, name, seconds, length, why)
    one_by_one.log_request(method, name, seconds * 1000, length)
    if why:
        one_by_one.log_error(method, name, why)
    if number % 300 == 0:
        ours.merge(merged)
ours.merge(merged)
ours.merge(merged)

def told(entry):
    return (entry.num_requests, entry.num_failures, dict(entry.response_times), entry.min_response_time,
            entry.max_response_time, round(entry.total_response_time, 3), entry.total_content_length,
            entry.median_response_time, entry.get_response_time_percentile(0.99), sum(entry.num_reqs_per_sec.values()),
            sum(entry.num_fail_per_sec.values()))

assert merged.entries.keys() == one_by_one.entries.keys()
for key, entry in one_by_one.entries.items():
    assert told(merged.entries[key]) == told(entry), (key, told(merged.entries[key]), told(entry))
assert told(merged.total) == told(one_by_one.total)
assert {k: e.occurrences for k, e in merged.errors.items()} == {k: e.occurrences for k, e in one_by_one.errors.items()}
print("the same")
"""


def test_merged_statistics_are_those_of_an_event_a_request() -> None:
    done = subprocess.run([sys.executable, "-c", COMPARED], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "the same\n"), done.stderr
