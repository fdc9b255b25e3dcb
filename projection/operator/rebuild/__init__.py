"""Rebuild of read models beside live traffic: a shadow is filled from the log, proven row-equal, and switched.

* `schemas`: where the shadow is: tables of the same names in a schema of their own, found by `search_path`, so the
  fragments of any read model make its rows there as they stand.
* `definition`: what a live table is, as statements that make another one like it; and what keeps it from being moved.
* `fold`, `filling`: bring streams of the shadow to where the live ones stand, by the read models' own fragments.
* `compared`: which rows of the live tables differ from those of the shadow.
* `record`: how far a rebuild is, and who is at work at it.
* `switch`: the one transaction that holds projectors out, applies the rest, compares it, and puts the shadow in place.
"""

from projection.operator.rebuild.outcome import Rebuilt
from projection.operator.rebuild.record import OtherRebuild
from projection.operator.rebuild.run import Rebuild
from projection.operator.rebuild.schemas import NotRebuilt
from projection.operator.rebuild.switch import Conditions

__all__ = ["Conditions", "NotRebuilt", "OtherRebuild", "Rebuild", "Rebuilt"]
