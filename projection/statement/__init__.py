"""One projection transaction as one statement: window, effect, checkpoint."""
