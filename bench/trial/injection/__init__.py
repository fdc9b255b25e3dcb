"""A fault beside the load: carried out, watched and healed, and what looks at the system meanwhile show of it."""
