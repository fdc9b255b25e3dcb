"""The laws of the house, each with a planted offence that it finds; `measure` says how large the house is."""
