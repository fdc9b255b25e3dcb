"""Per-event projection (`HANDLER=each`): an async Python function for each event, in the transaction of its batch."""
