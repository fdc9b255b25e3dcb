"""Fault drills: a fault beside load, the system's way back, and the proof that it lost nothing (ADR 0027)."""
