"""The measured domain, a Todo list: commands, decisions, events, and its read models."""
