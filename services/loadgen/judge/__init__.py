"""The verdict: what was acknowledged, what is read at the end, and whether they agree."""
