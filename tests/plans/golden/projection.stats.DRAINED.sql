INSERT INTO tallies (slot, drains) VALUES ($1 ::smallint, 1)
ON CONFLICT (slot) DO UPDATE SET drains = tallies.drains + 1
