"""Output of a run: its bundle, its summary, its points in InfluxDB, a line a second."""
