"""What is measured beside the load: histograms, visibility, the generator's own saturation."""
