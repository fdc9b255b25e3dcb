"""Mutants in real processes, each under the drill that is to find it: `task drill:mutants` plays all of them.

A projector with a bug is a strategy of somebody's own, named by its dotted path (STRATEGY); an API with one is a target
of somebody's own (TARGET). So the bench drills them as it drills the system as it is, which passes the same drills.
"""
