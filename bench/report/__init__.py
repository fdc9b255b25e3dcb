"""The report: a pure function of a result bundle."""
