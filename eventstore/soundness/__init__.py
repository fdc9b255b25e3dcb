"""What the store's promises rest on, checked and not assumed: see `docs/soundness.md`."""
