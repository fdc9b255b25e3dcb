"""Conformance as an answer: every rule of the contract checked on a target, as a document, a page and a table."""
