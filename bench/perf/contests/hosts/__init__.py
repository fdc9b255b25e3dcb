"""The whole system with each process on a host of its own: network namespaces of this machine, joined by a bridge."""
