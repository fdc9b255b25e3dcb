"""HTTP semantics: what is read of a request, how it is answered or refused, and what OpenAPI says of it."""
