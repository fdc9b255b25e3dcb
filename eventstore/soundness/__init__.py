"""What the store's promises rest on, checked and not assumed: see `docs/operation/soundness.md`."""
