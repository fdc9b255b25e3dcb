"""Leases: terms on streams and on the cursor of the global order; who may claim, and what a failure does to them."""
