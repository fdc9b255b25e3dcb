"""How far a reader of the global order may read, and who holds that back."""
