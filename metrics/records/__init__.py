"""The records of what is written: each section of a result and each document of a bundle, spelled once."""
