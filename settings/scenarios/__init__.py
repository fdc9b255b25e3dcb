"""Scenario files: one TOML file each in `scenarios/`, or anywhere, read strictly by bench and load generator alike."""
