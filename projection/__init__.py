"""How events reach a read model: ordering strategies, leases, checkpoints, failures."""
