"""Workload: Locust users, the calls that they make, the phases of a run, and when each request is due."""
