"""What a run leaves: its bundle, its summary, its points in InfluxDB, a line a second."""
