"""The platform `kubernetes`: a system in a cluster, spoken to by `kubectl` alone."""
