"""The machine that a run is measured on, and how much of it may be used."""
