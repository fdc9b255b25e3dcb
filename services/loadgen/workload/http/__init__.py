"""HTTP/1.1 client of the users: one request at a time on a kept connection, sent exactly once."""
