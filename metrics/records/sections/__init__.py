"""Sections of `result.json` that stand in a file of their own, one each; and how a hold is agreed on."""
