"""The bench: starts a system and its load, judges it by an oracle, and reports. It imports no service."""
