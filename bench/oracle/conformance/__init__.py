"""Conformance suite: each rule of `targets/CONTRACT.md` as a check over HTTP, against any base URL."""
