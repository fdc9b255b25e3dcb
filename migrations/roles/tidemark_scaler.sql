-- Whoever sets the number of projectors by the backlog: reads how much waits, and for how long. No event, no text.
GRANT SELECT (version, projected, pending_since, blocked_at) ON streams TO tidemark_scaler;
GRANT SELECT (events, projected) ON tallies TO tidemark_scaler;
