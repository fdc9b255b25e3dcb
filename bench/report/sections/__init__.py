"""Sections of the report, one pure function each; a section that has nothing to tell says why by its `reason`."""
