SELECT EXISTS (SELECT FROM streams WHERE pending_since IS NOT NULL AND blocked_at IS NULL) AS pending
