"""Files that a projector writes where it is asked to: how it is, and when it did what."""
