"""What the bench reads back from disk: the declared type of every document, and the readers of whole bundles."""
