"""What an operator can do about a blocked stream, a blocked serial projection, or a projection that was damaged.

* `unblock`: try again, with all attempts. For an event whose cause has been mended.
* `skip`: pass over the event that is blocked. It is never applied: the row keeps its text and takes the version, and
  the re-fold oracle will name the event as lost, because it is.
* `reset`: forget a stream's projection and project it again from its first event; for all streams it is a rebuild.
* `Rebuild`: make the read models again beside the live ones, prove them equal, and put them in their place.
* `recount`: hold the counters against the tables, and mend them.

Commands run beside appends and projectors of both modes, as transactions that are each right in themselves (`steps`):
one that is broken off leaves a projection that is right, and is continued by running it again. A transaction waits for
the batches under way on what it changes, and raises the lease's epoch, which fences whoever holds it.
"""

from projection.operator.rebuild import Rebuild
from projection.operator.recount import recount
from projection.operator.refusals import UnknownStream
from projection.operator.reset import reset
from projection.operator.skip import skip
from projection.operator.steps import Steps
from projection.operator.unblock import unblock

__all__ = ["Rebuild", "Steps", "UnknownStream", "recount", "reset", "skip", "unblock"]
