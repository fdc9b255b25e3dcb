"""Capacity on paper: from what an event costs here to the point where each part of a larger system is full."""
