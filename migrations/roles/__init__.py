"""Least-privileged database roles: one for each process, with its GRANTs and its planner settings."""
