"""What a row is measured next to: pgbench, and other frameworks."""
