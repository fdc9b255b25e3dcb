"""Crossover: where one ordering strategy beats another, over what an event costs and how uneven the load is."""
