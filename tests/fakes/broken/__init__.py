"""The fake Todo server with one rule of the contract broken, a module for each part of the contract.

`also` of a break are rules that can not hold where that one does not.
"""

from __future__ import annotations

from tests.fakes.broken import counts, events, options, reads, refusals, writes
from tests.fakes.broken.breaking import BREAKS, broken
from tests.fakes.broken.events import early

PARTS = (writes, reads, counts, refusals, events, options)

__all__ = ["BREAKS", "PARTS", "broken", "early"]
