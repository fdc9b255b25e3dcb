"""HTTP API of the Todo system: appends events, reads the projection."""
