"""Measurement: latency histograms, gauges of GET /stats, visibility, and the generator's own saturation."""
