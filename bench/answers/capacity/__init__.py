"""Capacity: the highest request rate at which an objective holds, found by trials in the open loop, as an interval."""
