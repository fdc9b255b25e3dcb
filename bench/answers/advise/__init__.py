"""Advice: strategy, projectors and settings for a rate and an objective, from capacities that were measured here."""
