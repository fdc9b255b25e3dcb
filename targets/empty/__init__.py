"""Target `empty`: the Todo API without a store: what HTTP and the load generator cost."""
