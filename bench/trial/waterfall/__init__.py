"""Waterfall of an event: commit, noticed, claimed, committed, read; the stages of each sampled write add up."""
