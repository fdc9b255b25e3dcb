"""Verdict of a run: the ledger of what was acknowledged, the final read, and whether they agree."""
