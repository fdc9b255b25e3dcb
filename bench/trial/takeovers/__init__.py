"""Who takes a struck projector's work over: by the leases that `/stats` tells of, or by its counts alone."""
