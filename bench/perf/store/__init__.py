"""Stores of a given size, and what each operation costs in them."""
